#include "outbound/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/limits.hpp"
#include "text/ip_address.hpp"

namespace keyward::outbound {

namespace {

constexpr std::size_t name_max_bytes = 253;  // RFC 1035 §2.3.4, as text
constexpr std::size_t label_max_bytes = 63;
constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string to_lower(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
  return lower;
}

std::unexpected<Error> refuse(std::string_view why) {
  return fail(ErrorCode::invalid_input, fmt::format("The URL {}", why));
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= label_max_bytes && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_digit(c) || is_letter(c) || c == '-'; });
}

/// A last label that some readers take for a number makes them take the whole name for an address.
bool looks_like_number(std::string_view label) {
  if (std::ranges::all_of(label, is_digit)) return true;
  return label.size() >= 2 && label.front() == '0' && to_lower(label[1]) == 'x' &&
         std::ranges::all_of(label.substr(2), is_hex);
}

bool is_name(std::string_view host) {
  if (host.size() > name_max_bytes) return false;
  for (auto rest = host;;) {
    const auto dot = rest.find('.');
    const auto label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) return !looks_like_number(label);
    rest.remove_prefix(dot + 1);
  }
}

/// The host in its one spelling.
std::optional<std::string> read_host(std::string_view host) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return std::nullopt;
    const auto address = text::IpAddress::parse(host.substr(1, host.size() - 2));
    // An IPv4 address in IPv6's form is written only to get past a check.
    if (!address || address->is_v4()) return std::nullopt;
    return address->to_text();
  }
  if (host.contains(':')) return std::nullopt;
  if (const auto address = text::IpAddress::parse(host)) return address->to_text();
  if (!is_name(host)) return std::nullopt;
  return to_lower(host);
}

/// RFC 3986 §3.3, §3.4.
bool is_path_and_query(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_digit(text[i]) && !is_letter(text[i]) && !marks.contains(text[i])) {
      return false;
    }
  }
  return true;
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stopped, error] = std::from_chars(text.begin(), text.end(), port);
  if (text.empty() || error != std::errc{} || stopped != text.end() || port == 0) return std::nullopt;
  return port;
}

Result<Target> read_rest(Target target, std::string_view rest) {
  const auto end = rest.find_first_of("/?");
  const auto authority = rest.substr(0, end);
  const auto path = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  if (authority.contains('@')) return refuse("must not name a user");
  auto host = authority;
  const auto own_port = target.tls ? https_port : http_port;
  target.port = own_port;
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && !authority.ends_with(']')) {
    const auto port = read_port(authority.substr(colon + 1));
    if (!port) return refuse("has a port that is none");
    target.port = *port;
    host = authority.substr(0, colon);
  }
  auto read = read_host(host);
  if (!read) return refuse("must name a host, such as login.example.com or 192.0.2.1 or [2001:db8::1]");
  if (!is_path_and_query(path)) return refuse("has characters that must be written as %XX");
  target.host = std::move(*read);
  target.path_and_query = path.starts_with('/') ? std::string{path} : fmt::format("/{}", path);
  const bool is_v6 = target.host.contains(':');
  target.origin = fmt::format("{}://{}{}{}", target.tls ? "https" : "http", is_v6 ? "[" : "", target.host,
                              is_v6 ? "]" : "");
  if (target.port != own_port) target.origin += fmt::format(":{}", target.port);
  return target;
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  if (url.size() > limits::outbound_url_max_bytes) return refuse("is too long");
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return refuse("must begin with https://");
  const auto scheme = to_lower(url.substr(0, colon));
  if (scheme != "https" && scheme != "http") return refuse("must begin with https://");
  if (url.contains('#')) return refuse("must not have a fragment");
  return read_rest(Target{.tls = scheme == "https"}, url.substr(colon + 3));
}

}  // namespace keyward::outbound
