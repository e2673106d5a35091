// JSON from outside, strictly (RFC 8259 as I-JSON, RFC 7493): strict UTF-8, no duplicate member at any depth,
// limits on size and depth.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace keyward::text {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = limits::json_max_bytes;
  std::size_t max_depth = limits::json_max_depth;
};

/// The whole text is one JSON value. Errors: bad_request (malformed, not UTF-8, too deep, a number beyond
/// double, a duplicate member, which the message names) and payload_too_large. Everything on the way to the
/// value, and the value, stands in `storage`: with a text::WipingMemory nothing of it stays behind.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {},
                               json::storage_ptr storage = {});

}  // namespace keyward::text
