// Decoding a JSON value, or the strings of a form, into a described object: every bad field is named at once.
#pragma once

#include <boost/json/value.hpp>
#include <vector>

#include "base/error.hpp"
#include "web/endpoint/route.hpp"
#include "web/endpoint/type_info.hpp"

namespace keyward::web {

struct DecodeOptions {
  Unknown unknown = Unknown::refused;
  /// The values are texts (a form, a query, a path): "20" is an integer, "true" a boolean.
  bool from_text = false;
};

/// Fills the object that `to` points at and returns what was wrong, at most 32 of it; fields are named as in
/// `roles[0]` and `address.city`. No message ever quotes a value.
std::vector<FieldError> decode(const TypeInfo& type, const boost::json::value& from, void* to,
                               DecodeOptions options);

}  // namespace keyward::web
