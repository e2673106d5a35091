// SmtpUrl: where the mail server is and how the way to it is protected.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace keyward::mail {

struct SmtpUrl {
  enum class Protection : std::uint8_t {
    tls,       // smtps://, from the first byte (RFC 8314 §3.3); port 465 unless given
    starttls,  // smtp+starttls://, required (RFC 3207); port 587 unless given
    none,      // smtp://; port 25 unless given
  };
  Protection protection = Protection::tls;
  std::string host;  // a name or an address; IPv6 in brackets
  std::uint16_t port = 0;
};

/// Nothing but scheme, host and port: no user, no password, no path. The error says what is allowed.
std::expected<SmtpUrl, std::string> parse_smtp_url(std::string_view text);

/// localhost, 127.0.0.0/8 and [::1].
bool is_this_machine(const SmtpUrl& url);

}  // namespace keyward::mail
