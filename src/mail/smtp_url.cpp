#include "mail/smtp_url.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace keyward::mail {

namespace {

using enum SmtpUrl::Protection;

struct Scheme {
  std::string_view prefix;
  SmtpUrl::Protection protection;
  std::uint16_t port;
};
constexpr std::array schemes{Scheme{"smtps://", tls, 465}, Scheme{"smtp+starttls://", starttls, 587},
                             Scheme{"smtp://", none, 25}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && is_letter_or_digit(host.front()) &&
         std::ranges::all_of(host, [](char c) { return c == '.' || c == '-' || is_letter_or_digit(c); });
}

bool is_bracketed(std::string_view host) {
  return host.size() > 2 && host.size() < 64 && host.starts_with('[') && host.ends_with(']') &&
         std::ranges::all_of(
             host.substr(1, host.size() - 2),
             [](char c) {
               return c == ':' || c == '.' || is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
             });
}

}  // namespace

std::expected<SmtpUrl, std::string> parse_smtp_url(std::string_view text) {
  const std::unexpected<std::string> refusal{
      "must be smtps://HOST[:PORT] or smtp+starttls://HOST[:PORT] (or smtp://HOST[:PORT] without protection, "
      "to "
      "this machine), with nothing after it; the user is mail.username"};
  for (const auto& scheme : schemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    auto host = text.substr(scheme.prefix.size());
    if (host.ends_with('/')) host.remove_suffix(1);
    SmtpUrl url{.protection = scheme.protection, .host = {}, .port = scheme.port};
    const auto colon = host.rfind(':');
    if (colon != std::string_view::npos && !host.ends_with(']')) {
      const auto port = host.substr(colon + 1);
      const auto [stopped, error] = std::from_chars(port.begin(), port.end(), url.port);
      if (port.empty() || error != std::errc{} || stopped != port.end() || url.port == 0) return refusal;
      host = host.substr(0, colon);
    }
    if (!is_host_name(host) && !is_bracketed(host)) return refusal;
    url.host = host;
    return url;
  }
  return refusal;
}

bool is_this_machine(const SmtpUrl& url) {
  if (url.host == "localhost" || url.host == "[::1]") return true;
  return url.host.starts_with("127.") &&
         std::ranges::all_of(url.host, [](char c) { return c == '.' || is_digit(c); });
}

}  // namespace keyward::mail
