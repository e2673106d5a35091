// The small text forms inside stored password hashes: fields between '$', numbers, and four spellings of
// base64. Internal to crypto.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

/// Exactly `Count` fields between `separator`; nothing for fewer or more.
template <std::size_t Count>
std::optional<std::array<std::string_view, Count>> split_fields(std::string_view text, char separator = '$') {
  std::array<std::string_view, Count> fields;
  for (std::size_t i = 0; i + 1 < Count; ++i) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) return std::nullopt;
    fields[i] = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  if (text.contains(separator)) return std::nullopt;
  fields[Count - 1] = text;
  return fields;
}

/// Decimal, without sign or leading zero.
std::optional<std::uint32_t> parse_number(std::string_view text);
/// `m=19456` with name "m".
std::optional<std::uint32_t> parse_named_number(std::string_view text, std::string_view name);

enum class Base64 : std::uint8_t {
  padded,    // RFC 4648 §4: Django
  unpadded,  // the same without '=': PHC
  adapted,   // unpadded, '.' for '+': passlib's ab64
};
/// Strict: no white space, no slack bits.
std::optional<Bytes> parse_base64(std::string_view text, Base64 spelling);
/// Padded, wiped.
Secret to_base64_secret(BytesView bytes);
std::string to_base64_unpadded(BytesView bytes);

/// The place of `c` in crypt(3)'s alphabet `./0-9A-Za-z`, 0 to 63.
std::optional<std::uint32_t> parse_crypt64(char c);
/// Five characters, the least significant first: 30 bits.
std::optional<std::uint32_t> parse_crypt64_uint30(std::string_view text);

/// Bytes in the same alphabet and order, four characters to three bytes; strict.
std::optional<Bytes> parse_crypt64_bytes(std::string_view text);

/// Only characters of `alphabet`, and exactly `size` of them.
bool is_made_of(std::string_view text, std::string_view alphabet, std::size_t size);
inline constexpr std::string_view bcrypt_alphabet =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

}  // namespace keyward::crypto
