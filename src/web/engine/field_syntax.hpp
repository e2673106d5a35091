// The character classes and small grammars of HTTP: RFC 9110 §5 (fields), §5.6.2 (tokens), §7.2 (Host).
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

#include "web/engine/refusal.hpp"
#include "web/message.hpp"

namespace keyward::web::engine {

namespace character {
enum : std::uint8_t { token = 1, field_value = 2, target = 4, host = 8, request_id = 16, digit = 32 };

consteval std::array<std::uint8_t, 256> make_table() {
  std::array<std::uint8_t, 256> table{};
  auto mark = [&](std::string_view text, std::uint8_t bits) {
    for (const char c : text) table[static_cast<unsigned char>(c)] |= bits;
  };
  for (unsigned c = 0x21; c <= 0x7e; ++c) table[c] |= field_value | target;
  for (unsigned c = 0x80; c <= 0xff; ++c) table[c] |= field_value;  // obs-text: opaque, but allowed in values
  table[' '] |= field_value;
  table['\t'] |= field_value;
  table['#'] &= static_cast<std::uint8_t>(~unsigned{target});  // a fragment never leaves its client
  mark("0123456789", token | host | request_id | digit);
  mark("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", token | host | request_id);
  mark("!#$%&'*+-.^_`|~", token);
  mark("-._~",
       host);  // sub-delims and percent signs are in RFC 3986's reg-name, but in no name that resolves
  mark("-._", request_id);
  return table;
}
inline constexpr std::array<std::uint8_t, 256> table = make_table();
}  // namespace character

inline bool is(char c, std::uint8_t kind) {
  return (character::table[static_cast<unsigned char>(c)] & kind) != 0;
}

inline bool all(std::string_view text, std::uint8_t kind) {
  std::uint8_t common = kind;  // no early exit: shorter for the text that is right
  for (const char c : text) common &= character::table[static_cast<unsigned char>(c)];
  return common != 0;
}

/// ASCII letters compare without case; nothing else does.
bool equal_without_case(std::string_view left, std::string_view right);

/// Without the spaces and tabs around it.
std::string_view trim(std::string_view text);

/// `name: value`, without its CRLF.
std::expected<Header, Refusal> check_field_line(std::string_view line);

/// `uri-host [":" port]`, not empty (RFC 9110 §4.2.1), no user information.
bool is_host(std::string_view text);

/// One element of a comma-separated list, trimmed, taken off its front; elements may be empty (RFC 9110
/// §5.6.1).
std::string_view take_list_element(std::string_view& list);

}  // namespace keyward::web::engine
