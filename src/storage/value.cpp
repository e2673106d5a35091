#include "storage/value.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace keyward::storage::detail {
namespace {

/// The length of the UTF-8 sequence at the head of `text` (RFC 3629 §4), 0 when there is none.
std::size_t utf8_sequence_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(i < text.size() ? text[i] : 0); };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const std::uint8_t first = byte(0);
  const std::uint8_t second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return tail(1) ? 2 : 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first > 0xF4) return 0;
  const bool overlong = first == 0xF0 && second < 0x90;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
}

std::string_view kind_of(const ValueView& value) {
  struct Names {
    std::string_view operator()(Null) const { return "NULL"; }
    std::string_view operator()(std::int64_t) const { return "BIGINT"; }
    std::string_view operator()(bool) const { return "BOOLEAN"; }
    std::string_view operator()(std::string_view) const { return "TEXT"; }
    std::string_view operator()(BytesView) const { return "BYTEA"; }
  };
  return std::visit(Names{}, value);
}

}  // namespace

void check_text(std::string_view text) {
  while (!text.empty()) {
    if (text.front() == '\0')
      throw std::invalid_argument("a TEXT parameter holds a NUL, which no engine keeps alike");
    const std::size_t bytes = utf8_sequence_bytes(text);
    if (bytes == 0) throw std::invalid_argument("a TEXT parameter is not valid UTF-8");
    text.remove_prefix(bytes);
  }
}

void refuse_value(const ValueView& value, std::string_view wanted, std::string_view column) {
  // The kind only: a value may be somebody's secret, and exceptions are logged.
  throw std::logic_error(
      fmt::format("column \"{}\" holds {} where the program wants {}", column, kind_of(value), wanted));
}

}  // namespace keyward::storage::detail
