#include "app/config/listen_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace keyward::app {
namespace {

constexpr std::string_view listen_allowed =
    "must be ADDRESS:PORT, such as 127.0.0.1:8080, [::1]:8080 or :8080 for every interface";
constexpr std::string_view url_allowed =
    "must be http:// or https:// and a host, with nothing after it but a port, such as "
    "https://id.example.com";

struct HostAndPort {
  std::string host;  // without brackets
  bool bracketed = false;
  std::optional<std::uint16_t> port;
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// inet_pton reads up to a NUL, and a TOML text can hold one.
bool is_ipv4(const std::string& host) {
  in_addr address{};
  return !host.contains('\0') && inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return !host.contains('\0') && inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. Nothing for anything else.
std::optional<HostAndPort> split(std::string_view text) {
  HostAndPort parts;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    parts.host = text.substr(1, close - 1);
    parts.bracketed = true;
    if (!is_ipv6(parts.host)) return std::nullopt;
    rest = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    parts.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (rest.empty()) return parts;
  if (!rest.starts_with(':')) return std::nullopt;
  parts.port = parse_port(rest.substr(1));
  if (!parts.port) return std::nullopt;
  return parts;
}

std::string to_lower(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// A name of DNS, in ASCII (an international one in its xn-- form).
bool is_host_name(std::string_view host) {
  constexpr std::size_t host_name_max_bytes = 253;  // RFC 1035 §2.3.4
  if (host.empty() || host.size() > host_name_max_bytes) return false;
  if (host.starts_with('-') || host.starts_with('.') || host.ends_with('-') || host.ends_with('.'))
    return false;
  if (host.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(
      host, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  auto parts = split(text);
  if (!parts || !parts->port) return std::unexpected{std::string{listen_allowed}};
  if (parts->host.empty()) parts->host = "0.0.0.0";
  if (parts->host == "localhost") parts->host = "127.0.0.1";
  if (!parts->bracketed && !is_ipv4(parts->host)) return std::unexpected{std::string{listen_allowed}};
  return ListenAddress{std::move(parts->host), *parts->port};
}

std::string to_text(const ListenAddress& address) {
  return bracketed(address.host) + ":" + std::to_string(address.port);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" ||
         (host.starts_with("127.") && is_ipv4(std::string{host}));
}

std::expected<std::string, std::string> parse_public_url(std::string_view text) {
  const auto refused = [] { return std::unexpected{std::string{url_allowed}}; };
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return refused();
  const std::string scheme = to_lower(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") return refused();

  std::string_view authority = text.substr(colon + 3);
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.find_first_of("/?#@\\") != std::string_view::npos) return refused();
  auto parts = split(authority);
  if (!parts) return refused();
  parts->host = to_lower(parts->host);
  if (!parts->bracketed && !is_host_name(parts->host)) return refused();

  std::string url = scheme + "://" + bracketed(parts->host);
  const std::uint16_t own_port = scheme == "http" ? 80 : 443;
  if (parts->port == std::uint16_t{0}) return refused();
  if (parts->port && *parts->port != own_port) url += ":" + std::to_string(*parts->port);
  return url;
}

std::string public_url_of(const ListenAddress& address, bool tls) {
  const bool every_interface = address.host == "0.0.0.0" || address.host == "::";
  const std::string url =
      (tls ? "https://" : "http://") + (every_interface ? "localhost" : bracketed(address.host));
  return address.port == (tls ? 443 : 80) ? url : url + ":" + std::to_string(address.port);
}

bool is_of_this_machine(std::string_view public_url) {
  constexpr std::string_view after_scheme = "://";
  const auto at = public_url.find(after_scheme);
  if (at == std::string_view::npos) return false;
  const auto parts = split(public_url.substr(at + after_scheme.size()));
  return parts && is_loopback(parts->host);
}

bool is_clear_text_url(std::string_view public_url) {
  return public_url.starts_with("http://") && !is_of_this_machine(public_url);
}

}  // namespace keyward::app
