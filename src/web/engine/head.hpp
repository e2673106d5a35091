// The head of a request: where it ends, and whether every byte of it is as RFC 9112 wants it.
//
// RFC 9112 §2 to §7 and §9.3, RFC 9110 §5, §7.2, §10.1.1. Pure functions over bytes: no socket, no allocation
// that is kept. Threat: request smuggling and cache poisoning (H1), where two servers on a path read one byte
// stream as different messages. Answer: this side reads no message that could be read in two ways. Whatever
// is doubtful is refused, and the caller closes the connection, so that nothing behind a doubtful message is
// interpreted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "web/engine/refusal.hpp"
#include "web/message.hpp"

namespace keyward::web::engine {

struct HeadLimits {
  std::size_t header_max_bytes = limits::http_header_max_bytes;  // the whole head with its empty line
  std::size_t header_max_count = limits::http_header_max_count;
  std::size_t uri_max_bytes = limits::http_uri_max_bytes;
};

/// Finds the end of a head in a buffer that grows. A bare LF and an excess are refused as soon as they are
/// seen.
class HeadFinder {
 public:
  /// `text` begins where the request begins, and is what it was at the last call plus what has come since.
  /// The head's size with its empty line; 0 while it is incomplete; or a refusal.
  std::expected<std::size_t, Refusal> find(std::string_view text, const HeadLimits& limits);

 private:
  std::size_t line_begin_ = 0;
  std::size_t searched_ = 0;
};

/// What a head says. The views point into the text that was checked.
struct Head {
  Method method = Method::other;
  bool is_http_1_0 = false;
  std::string_view target;  // origin-form, or "*"
  std::string_view path;
  std::string_view query;
  std::vector<Header> headers;
  std::optional<std::uint64_t> content_length_bytes;
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  std::string_view user_agent;
  std::string_view request_id;   // the caller's, when it is well-formed
  std::string_view traceparent;  // as sent; empty when there are two
};

/// Checks a head that HeadFinder found complete and writes what it says into `head` (whose memory is used
/// again).
std::optional<Refusal> check_head(std::string_view text, const HeadLimits& limits, Head& head);

}  // namespace keyward::web::engine
