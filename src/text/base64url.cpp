#include "text/base64url.hpp"

#include <array>
#include <cstdint>

namespace keyward::text {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t not_a_digit = 0xff;

constexpr auto make_digit_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_a_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr auto digit_values = make_digit_values();

}  // namespace

std::string to_base64url(BytesView bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  auto* out = text.data();
  // Three bytes are four digits; one or two that are left over are two or three.
  for (; bytes.size() >= 3; bytes = bytes.subspan(3)) {
    const std::uint32_t bits = (std::uint32_t{bytes[0]} << 16U) | (std::uint32_t{bytes[1]} << 8U) | bytes[2];
    *out++ = alphabet[bits >> 18U];
    *out++ = alphabet[(bits >> 12U) & 63U];
    *out++ = alphabet[(bits >> 6U) & 63U];
    *out++ = alphabet[bits & 63U];
  }
  if (!bytes.empty()) {
    const std::uint32_t second = bytes.size() == 2 ? bytes[1] : 0U;
    const std::uint32_t bits = (std::uint32_t{bytes[0]} << 16U) | (second << 8U);
    *out++ = alphabet[bits >> 18U];
    *out++ = alphabet[(bits >> 12U) & 63U];
    if (bytes.size() == 2) *out = alphabet[(bits >> 6U) & 63U];
  }
  return text;
}

std::optional<Bytes> parse_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned pending_bits = 0;
  for (const char c : text) {
    const auto value = digit_values[static_cast<unsigned char>(c)];
    if (value == not_a_digit) return std::nullopt;
    bits = (bits << 6U) | value;
    pending_bits += 6;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> pending_bits));
    }
  }
  // Bits left over carry nothing; were they free, one byte string would have several spellings.
  if ((bits & ((1U << pending_bits) - 1U)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace keyward::text
