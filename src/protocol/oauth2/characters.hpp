// The characters of URLs (RFC 3986 §2) and of OAuth's parameters (RFC 6749 appendix A).
#pragma once

#include <algorithm>
#include <string_view>

namespace keyward::protocol::oauth2 {

constexpr bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
constexpr bool is_hexadecimal(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_unreserved(char c) {
  return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

/// All of it visible ASCII (%x21-7E), and something: fit for a header, and for a URL once it is escaped.
constexpr bool is_visible_ascii(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

/// What may stand in a path, a query or a fragment: `pchar`, '/' and '?', each percent sign with its two
/// digits.
bool is_url_tail(std::string_view text);

}  // namespace keyward::protocol::oauth2
