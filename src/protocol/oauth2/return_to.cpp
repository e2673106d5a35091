#include "protocol/oauth2/return_to.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

#include "base/limits.hpp"
#include "protocol/oauth2/characters.hpp"

namespace keyward::protocol::oauth2 {

namespace {

constexpr std::string_view https = "https://";
constexpr std::string_view http = "http://";

std::unexpected<Error> bad_return_to(std::string message) {
  return fail_field("return_to", std::move(message));
}

/// The host of `host[:port]`, an IPv6 literal with its brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_loopback(std::string_view host) {
  constexpr std::array<std::string_view, 3> hosts{"localhost", "127.0.0.1", "[::1]"};
  return std::ranges::find(hosts, host) != hosts.end();
}

/// Letters in lower case, digits, dots and hyphens, or the one IPv6 literal that is taken.
bool is_host(std::string_view host) {
  if (host == "[::1]") return true;
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

/// As a browser writes it: no default port, no zero before it.
bool is_port(std::string_view port, std::string_view default_port) {
  return !port.empty() && port.size() <= 5 && port.front() != '0' && port != default_port &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether this is an origin in a browser's spelling that one may be sent to. The list is the operator's, and
/// the check does not rest on what else made sure of it.
bool is_allowed_origin(std::string_view origin) {
  const bool secure = origin.starts_with(https);
  if (!secure && !origin.starts_with(http)) return false;
  const auto authority = origin.substr(secure ? https.size() : http.size());
  const auto host = host_of(authority);
  if (!is_host(host) || (!secure && !is_loopback(host))) return false;
  const auto rest = authority.substr(host.size());
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1), secure ? "443" : "80"));
}

/// `.` or `..`, also in the spellings with %2e, which browsers take for dots.
bool is_dot_segment(std::string_view segment) {
  std::size_t dots = 0;
  while (!segment.empty()) {
    const bool escaped = segment.starts_with("%2e") || segment.starts_with("%2E");
    if (!escaped && segment.front() != '.') return false;
    segment.remove_prefix(escaped ? 3 : 1);
    ++dots;
  }
  return dots == 1 || dots == 2;
}

bool starts_with_escaped_slash(std::string_view segment) {
  constexpr std::array<std::string_view, 4> slashes{"%2f", "%2F", "%5c", "%5C"};
  return std::ranges::any_of(slashes, [&](std::string_view slash) { return segment.starts_with(slash); });
}

/// Segments that nobody takes away, so that no proxy makes a `//` of the beginning.
bool is_plain_path(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);  // its slash
    const auto segment = path.substr(0, path.find('/'));
    const bool last = segment.size() == path.size();
    if ((segment.empty() && !last) || is_dot_segment(segment) || starts_with_escaped_slash(segment)) {
      return false;
    }
    path.remove_prefix(segment.size());
  }
  return true;
}

/// What follows an origin: nothing, or `/path`, `?query` and `#fragment`.
bool is_plain_tail(std::string_view tail) {
  const auto fragment_at = tail.find('#');
  const auto head = tail.substr(0, fragment_at);
  const auto fragment = fragment_at == std::string_view::npos ? "" : tail.substr(fragment_at + 1);
  return is_url_tail(head) && is_url_tail(fragment) && is_plain_path(head.substr(0, head.find('?')));
}

/// An entry is an origin, or the address of one page there.
bool leads_to(std::string_view given, std::string_view origin, std::string_view entry) {
  if (entry == origin) return true;
  if (!entry.starts_with(origin) || !given.starts_with(entry)) return false;
  const auto rest = given.substr(entry.size());
  return entry.substr(origin.size()).starts_with('/') &&
         (rest.empty() || rest.front() == '?' || rest.front() == '#');
}

/// With each %xx as the character that it stands for; they are complete here.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    std::size_t taken = 1;
    char character = text.front();
    if (character == '%') {
      int value = 0;
      std::from_chars(text.data() + 1, text.data() + 3, value, 16);
      character = static_cast<char>(value);
      taken = 3;
    }
    plain += character;
    text.remove_prefix(taken);
  }
  return plain;
}

/// `code` or `error` is there already: an application that takes the first of two reads what somebody else
/// chose.
bool has_answer(std::string_view given) {
  const auto head = given.substr(0, given.find('#'));
  const auto mark = head.find('?');
  if (mark == std::string_view::npos) return false;
  return std::ranges::any_of(std::views::split(head.substr(mark + 1), '&'), [](const auto& part) {
    const std::string_view pair{part.begin(), part.end()};
    const auto name = unescaped(pair.substr(0, pair.find('=')));
    return name == "code" || name == "error";
  });
}

}  // namespace

Result<std::string> check_return_to(std::string_view given, std::span<const std::string> origins) {
  if (given.size() > limits::return_to_max_bytes) return bad_return_to("is too long");
  if (given.starts_with('/')) {
    if (!is_plain_tail(given)) return bad_return_to("is not a plain path");
    if (has_answer(given)) return bad_return_to("has a parameter that the answer is told by");
    return std::string{given};
  }
  // Whatever else it may be, what stands before the first '/', '?' or '#' behind the scheme's is compared as
  // it is: a '@', a port or another case makes it another text.
  const auto slashes = given.find("://");
  if (slashes == std::string_view::npos) return bad_return_to("must be a path or a whole https address");
  const auto origin = given.substr(0, given.find_first_of("/?#", slashes + 3));
  const bool listed =
      std::ranges::any_of(origins, [&](const auto& entry) { return leads_to(given, origin, entry); });
  if (!listed || !is_allowed_origin(origin)) return bad_return_to("leads to an origin that is not allowed");
  if (!is_plain_tail(given.substr(origin.size())))
    return bad_return_to("has characters that do not belong there");
  if (has_answer(given)) return bad_return_to("has a parameter that the answer is told by");
  return std::string{given};
}

}  // namespace keyward::protocol::oauth2
