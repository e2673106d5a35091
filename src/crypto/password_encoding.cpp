#include "crypto/password_encoding.hpp"

#include <algorithm>
#include <charconv>

#include "crypto/sodium.hpp"

namespace keyward::crypto {
namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view crypt_alphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::optional<Bytes> parse_unpadded(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = base64_alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count));
      bits &= (1U << count) - 1U;
    }
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

}  // namespace

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_named_number(std::string_view text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  if (!text.starts_with('=')) return std::nullopt;
  return parse_number(text.substr(1));
}

std::optional<Bytes> parse_base64(std::string_view text, Base64 spelling) {
  switch (spelling) {
    case Base64::padded: {
      if (text.size() % 4 != 0) return std::nullopt;
      for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
      return parse_unpadded(text);
    }
    case Base64::unpadded:
      return parse_unpadded(text);
    case Base64::adapted: {
      if (text.contains('+')) return std::nullopt;
      std::string plain{text};
      std::ranges::replace(plain, '.', '+');
      return parse_unpadded(plain);
    }
  }
  return std::nullopt;
}

Secret to_base64_secret(BytesView bytes) {
  const auto room = sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  auto encoded = Secret::of_size(room);
  auto* text = reinterpret_cast<char*>(encoded.mutable_bytes().data());
  sodium_bin2base64(text, room, bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  return Secret{encoded.bytes().first(room - 1)};  // less the zero at its end
}

std::string to_base64_unpadded(BytesView bytes) {
  const auto room = sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  std::string text(room, '\0');
  sodium_bin2base64(text.data(), room, bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  text.pop_back();
  return text;
}

std::optional<std::uint32_t> parse_crypt64(char c) {
  const auto value = crypt_alphabet.find(c);
  if (value == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint32_t> parse_crypt64_uint30(std::string_view text) {
  if (text.size() != 5) return std::nullopt;
  std::uint32_t value = 0;
  unsigned shift = 0;
  for (const char c : text) {
    const auto digit = parse_crypt64(c);
    if (!digit) return std::nullopt;
    value |= *digit << shift;
    shift += 6;
  }
  return value;
}

std::optional<Bytes> parse_crypt64_bytes(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto digit = parse_crypt64(c);
    if (!digit) return std::nullopt;
    bits |= *digit << count;
    count += 6;
    if (count >= 8) {
      bytes.push_back(static_cast<std::uint8_t>(bits & 0xFFU));
      bits >>= 8U;
      count -= 8;
    }
    if (count == 0) bits = 0;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

bool is_made_of(std::string_view text, std::string_view alphabet, std::size_t size) {
  return text.size() == size && text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace keyward::crypto
