// ChunkedBody: decodes Transfer-Encoding: chunked as it arrives (RFC 9112 §7.1), strictly and within limits.
//
// Extensions are allowed, bounded and ignored; trailers are checked, bounded and dropped, so that a trailer
// never changes what a header said (RFC 9110 §6.5.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "web/engine/refusal.hpp"

namespace keyward::web::engine {

class ChunkedBody {
 public:
  static constexpr std::size_t extension_max_bytes = 1024;  // of all chunks together
  static constexpr std::size_t trailer_max_bytes = 1024;    // of all trailers together

  explicit ChunkedBody(std::size_t body_max_bytes) : body_max_bytes_(body_max_bytes) {}

  /// Appends the data among `raw` to `body` and returns how many bytes of `raw` it took: all of them, unless
  /// is_complete() afterwards.
  std::expected<std::size_t, Refusal> take(std::string_view raw, std::string& body);
  [[nodiscard]] bool is_complete() const { return state_ == State::complete; }

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension,
    size_line_feed,
    data,
    data_carriage_return,
    data_line_feed,
    trailer_line,
    trailer_line_feed,
    complete,
  };

  std::expected<State, Refusal> after(char c);
  std::expected<State, Refusal> after_size_digit(unsigned digit);
  std::expected<State, Refusal> after_trailer_line();

  std::size_t body_max_bytes_;
  std::size_t body_bytes_ = 0;
  std::size_t chunk_left_bytes_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::size_t size_digits_ = 0;
  std::string trailer_;
  State state_ = State::size_first;
};

}  // namespace keyward::web::engine
