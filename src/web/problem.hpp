// Problem documents: how every refusal looks (RFC 9457, `application/problem+json`).
//
// `type` is `urn:keyward:problem:` and the name of the error code with dashes (`invalid-input`): it names the
// kind of problem for programs, and is not fetched. `title` is the status' own phrase, `detail` the error's
// public sentence; for invalid input `errors: [{field, message}]` names every bad field; `request_id` is what
// the log knows it by.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// The one place that knows which status an error has.
unsigned status_of(ErrorCode code);
std::string_view title_of(unsigned status);
/// `invalid-input`: the last part of the problem's type.
std::string_view problem_name(ErrorCode code);

/// With Retry-After where the error says when, and WWW-Authenticate on every 401 (RFC 9110 §11.6.1, RFC 6750
/// §3): with `error="invalid_token"` when a token was presented. The private detail goes to the log, never
/// into the answer.
Response to_problem(const Error& error, const Request& request);

/// For what never became a request.
Response to_problem(unsigned status, std::string_view detail, const std::string& request_id);

}  // namespace keyward::web
