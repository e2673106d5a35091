#include "web/cors.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

#include "base/limits.hpp"
#include "text/ip_address.hpp"
#include "web/engine/field_syntax.hpp"

namespace keyward::web {

namespace {

constexpr std::string_view allow_origin = "Access-Control-Allow-Origin";
// What applications read beside what every answer shows (Fetch Standard §3.2.3).
constexpr std::string_view exposed_headers =
    "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, Keyward-Device, Keyward-Transaction, Location, "
    "ETag, WWW-Authenticate";
// What is read of a request beside what every page may send.
constexpr std::string_view taken_headers =
    "Authorization, Content-Type, Accept-Language, If-None-Match, Keyward-Device, X-Request-Id, traceparent, "
    "tracestate";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view label) {
  constexpr std::size_t label_max_bytes = 63;  // RFC 1035 §2.3.4
  return !label.empty() && label.size() <= label_max_bytes && !label.starts_with('-') &&
         !label.ends_with('-') &&
         std::ranges::all_of(label, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

/// A name of DNS, in lower case and in ASCII.
bool is_name(std::string_view host) {
  constexpr std::size_t host_max_bytes = 253;
  return host.size() <= host_max_bytes &&
         std::ranges::all_of(std::views::split(host, '.'),
                             [](const auto& part) { return is_label(std::string_view{part}); });
}

/// Browsers read such a host as an IPv4 address, whatever it looks like (URL Standard §3.5).
bool ends_in_a_number(std::string_view host) {
  const auto dot = host.rfind('.');
  const auto last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return last.starts_with("0x") || std::ranges::all_of(last, is_digit);
}

/// The host as browsers write it; nothing for what they would write in another way.
bool is_serialised_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto inside = host.substr(1, host.size() - 2);
    const auto address = text::IpAddress::parse(inside);
    return inside.contains(':') && address && !address->is_v4() && address->to_text() == inside;
  }
  if (!ends_in_a_number(host)) return is_name(host);
  const auto address = text::IpAddress::parse(host);
  return address && address->to_text() == host;
}

bool is_loopback_host(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" ||
         (host.starts_with("127.") && ends_in_a_number(host));
}

/// `:8443`, or nothing. Without a leading zero, and not the scheme's own.
bool is_serialised_port(std::string_view text, std::uint16_t own_port) {
  if (text.empty()) return true;
  const auto digits = text.substr(1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
  return error == std::errc{} && end == digits.end() && is_digit(digits.front()) && digits.front() != '0' &&
         port != own_port;
}

/// What is wrong with an origin, in words; nothing when it is right.
std::optional<std::string_view> fault_of(std::string_view origin) {
  constexpr std::string_view in_clear = "http://";
  constexpr std::string_view over_tls = "https://";
  if (origin == "*" || origin == "null")
    return "would let every page in: name the origins of your applications";
  if (!std::ranges::all_of(origin, [](char c) { return c > ' ' && c < '\x7f'; }))
    return "has a character that no origin has; an international name is written in its xn-- form";
  const bool tls = origin.starts_with(over_tls);
  if (!tls && !origin.starts_with(in_clear))
    return "does not begin with https:// (or http:// for this machine)";
  const auto authority = origin.substr(tls ? over_tls.size() : in_clear.size());
  if (authority.contains('@')) return "has a user in it";
  if (authority.find_first_of("/?#\\") != std::string_view::npos)
    return "has something behind the host and port; leave also the last slash out";
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto host = authority.substr(0, colon);
  if (!is_serialised_host(host))
    return "has no host as browsers write it: in lower case, without a dot at the end, an address in its "
           "shortest form";
  if (!is_serialised_port(colon == std::string_view::npos ? std::string_view{} : authority.substr(colon),
                          tls ? 443 : 80))
    return "has no port as browsers write it: without leading zeros, and left out where it is the scheme's "
           "own";
  if (!tls && !is_loopback_host(host)) return "is http:// and not this machine: only https:// keeps a token";
  return std::nullopt;
}

void add_to_vary(Response& response, std::string_view names) {
  for (auto& [name, value] : response.headers) {
    if (engine::equal_without_case(name, "Vary")) {
      value.append(", ").append(names);
      return;
    }
  }
  response.headers.emplace_back("Vary", names);
}

}  // namespace

Result<Cors> Cors::parse(std::string_view text) {
  Cors cors;
  if (engine::trim(text).empty()) return cors;
  for (const auto part : std::views::split(text, ',')) {
    const auto origin = engine::trim(std::string_view{part});
    if (const auto fault = fault_of(origin)) {
      return fail(ErrorCode::invalid_input, "`" + std::string{origin} + "` " + std::string{*fault});
    }
    cors.origins_.emplace_back(origin);
  }
  if (cors.origins_.size() > limits::cors_origins_max) {
    return fail(ErrorCode::invalid_input, std::to_string(cors.origins_.size()) +
                                              " origins are more than the " +
                                              std::to_string(limits::cors_origins_max) + " that are taken");
  }
  std::ranges::sort(cors.origins_);
  return cors;
}

bool Cors::lists(std::string_view origin) const { return std::ranges::binary_search(origins_, origin); }

std::string Cors::text() const {
  std::string text;
  for (const auto& origin : origins_) text.append(text.empty() ? "" : ", ").append(origin);
  return text;
}

std::string_view Cors::listed_origin_of(const Request& request) const {
  std::string_view origin;
  bool seen = false;
  for (const Header& header : request.headers) {
    if (!engine::equal_without_case(header.name, "Origin")) continue;
    if (seen) return {};
    seen = true;
    origin = header.value;
  }
  const auto found = std::ranges::lower_bound(origins_, origin);
  return found != origins_.end() && *found == origin ? std::string_view{*found} : std::string_view{};
}

void Cors::allow_reading(const Request& request, Readers readers, Response& response) const {
  if (readers == Readers::every_origin) {
    response.headers.emplace_back(allow_origin, "*");
    return;
  }
  if (readers == Readers::no_other_origin || origins_.empty()) return;
  add_to_vary(response, "Origin");
  const auto origin = listed_origin_of(request);
  if (origin.empty()) return;
  response.headers.emplace_back(allow_origin, origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
}

void Cors::answer_preflight(const Request& request, Readers readers, std::string_view methods,
                            Response& response) const {
  const bool every_origin = readers == Readers::every_origin;
  if (!every_origin && (readers == Readers::no_other_origin || origins_.empty())) return;
  if (!every_origin) add_to_vary(response, "Origin, Access-Control-Request-Method");
  const std::string_view origin = every_origin ? "*" : listed_origin_of(request);
  if (origin.empty() || !request.header("Origin") || !request.header("Access-Control-Request-Method")) return;
  response.headers.emplace_back(allow_origin, origin);
  response.headers.emplace_back("Access-Control-Allow-Methods", methods);
  response.headers.emplace_back("Access-Control-Allow-Headers", taken_headers);
  response.headers.emplace_back("Access-Control-Max-Age",
                                std::to_string(limits::cors_preflight_max_age.count()));
}

}  // namespace keyward::web
