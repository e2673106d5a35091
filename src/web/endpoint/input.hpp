// Reading a request's body, query and path parameters into described types: the untyped half of the
// extractors.
//
// Threats and answers: parameter pollution (a duplicate is 400 in JSON, form and query); mass assignment (an
// unknown member is 422 unless the endpoint ignores it, and has no effect ever: Z2); content-type confusion
// (anything but JSON or a form is 415: S7); passwords left in memory (a body with a Secret is read in wiped
// memory and then wiped itself); answers that grow with the attack (the bad fields named are bounded).
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "web/endpoint/route.hpp"
#include "web/endpoint/type_info.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// Fills the object that `to` points at, of type `type`. Errors: bad_request, unsupported_media_type,
/// payload_too_large, and invalid_input, which names every bad field at once.
Result<void> read_body(const TypeInfo& type, Unknown unknown, void* to, Request& request);

/// The query string.
Result<void> read_query(const TypeInfo& type, Unknown unknown, void* to, const Request& request);

/// One path parameter. A text that is no T names nothing that exists: not_found.
Result<void> read_path_parameter(const TypeInfo& type, std::string_view name, void* to,
                                 const Request& request);

}  // namespace keyward::web
