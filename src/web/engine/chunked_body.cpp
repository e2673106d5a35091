#include "web/engine/chunked_body.hpp"

#include <algorithm>

#include "web/engine/field_syntax.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t size_digits_max = 8;  // 4 GiB less one byte; leading zeros count
constexpr Refusal bad_chunk{400, "The chunked body is malformed"};
constexpr unsigned not_a_digit = 16;

unsigned hexadecimal(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return not_a_digit;
}

}  // namespace

std::expected<std::size_t, Refusal> ChunkedBody::take(std::string_view raw, std::string& body) {
  std::size_t taken = 0;
  while (taken < raw.size() && state_ != State::complete) {
    if (state_ == State::data) {
      const std::size_t count = std::min(chunk_left_bytes_, raw.size() - taken);
      body.append(raw.substr(taken, count));
      taken += count;
      chunk_left_bytes_ -= count;
      if (chunk_left_bytes_ == 0) state_ = State::data_carriage_return;
      continue;
    }
    const auto next = after(raw[taken++]);
    if (!next) return std::unexpected(next.error());
    state_ = *next;
  }
  return taken;
}

std::expected<ChunkedBody::State, Refusal> ChunkedBody::after_size_digit(unsigned digit) {
  if (digit == not_a_digit || ++size_digits_ > size_digits_max) return std::unexpected(bad_chunk);
  chunk_left_bytes_ = chunk_left_bytes_ * 16 + digit;
  if (chunk_left_bytes_ > body_max_bytes_ - body_bytes_) {
    return std::unexpected(Refusal{413, "The body is too large"});
  }
  return State::size;
}

std::expected<ChunkedBody::State, Refusal> ChunkedBody::after(char c) {
  switch (state_) {
    case State::size_first:
      size_digits_ = 0;
      chunk_left_bytes_ = 0;
      return after_size_digit(hexadecimal(c));
    case State::size:
      if (c == ';') return State::extension;
      if (c == '\r') return State::size_line_feed;
      return after_size_digit(hexadecimal(c));
    case State::extension:
      if (c == '\r') return State::size_line_feed;
      if (!is(c, character::field_value) || ++extension_bytes_ > extension_max_bytes) {
        return std::unexpected(bad_chunk);
      }
      return State::extension;
    case State::size_line_feed:
      if (c != '\n') return std::unexpected(bad_chunk);
      body_bytes_ += chunk_left_bytes_;
      return chunk_left_bytes_ == 0 ? State::trailer_line : State::data;
    case State::data_carriage_return:
      if (c != '\r') return std::unexpected(bad_chunk);
      return State::data_line_feed;
    case State::data_line_feed:
      if (c != '\n') return std::unexpected(bad_chunk);
      return State::size_first;
    case State::trailer_line:
      if (c == '\r') return State::trailer_line_feed;
      if (++trailer_bytes_ > trailer_max_bytes)
        return std::unexpected(Refusal{431, "The trailers are too large"});
      trailer_.push_back(c);
      return State::trailer_line;
    case State::trailer_line_feed:
      if (c != '\n') return std::unexpected(bad_chunk);
      return after_trailer_line();
    case State::data:
    case State::complete:
      break;
  }
  return std::unexpected(bad_chunk);
}

std::expected<ChunkedBody::State, Refusal> ChunkedBody::after_trailer_line() {
  if (trailer_.empty()) return State::complete;
  const auto field = check_field_line(trailer_);
  if (!field) return std::unexpected(field.error());
  trailer_.clear();
  return State::trailer_line;
}

}  // namespace keyward::web::engine
