// The header `traceparent`: which trace a request belongs to, by its caller's word (W3C Trace Context §3.2).
//
// It goes into the log and nowhere else: nothing is decided by it, and it is told to no client. Threat: a
// line forged by what is sent (hexadecimal digits of a fixed length, or it is ignored).
#pragma once

#include <optional>
#include <string_view>

namespace keyward::web {

/// Views into what was parsed.
struct TraceParent {
  std::string_view trace_id;   // 32 hexadecimal digits
  std::string_view parent_id;  // 16
};

/// Nothing for what is not well-formed: the request then has no trace. Of a version that is not yet known,
/// what version 00 has, as §3.2.2 says.
std::optional<TraceParent> parse_traceparent(std::string_view value);

}  // namespace keyward::web
