// Where the server listens and under which URL people reach it: the two settings that are more than a number
// or a word.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace keyward::app {

/// An IP address and a port. Port 0 lets the system choose one.
struct ListenAddress {
  std::string host = "127.0.0.1";  // an IPv4 or IPv6 literal, without brackets
  std::uint16_t port = 8080;
  bool operator==(const ListenAddress&) const = default;
};

/// HOST:PORT, [::1]:8080, :8080 (every interface) or localhost:8080. The error says what is allowed.
std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);
std::string to_text(const ListenAddress& address);

/// Only this machine can reach it.
bool is_loopback(std::string_view host);

/// `http(s)://HOST[:PORT]` with nothing after it: an origin, in lower case, without the scheme's own port and
/// without a slash at the end, so that it can be compared as text (it is the issuer of every token). The
/// error says what is allowed.
std::expected<std::string, std::string> parse_public_url(std::string_view text);

/// The URL of a server that was told none: http:// or https:// and its address; localhost where it listens on
/// every interface.
std::string public_url_of(const ListenAddress& address, bool tls);

/// Only this machine can reach the URL of a public_url.
bool is_of_this_machine(std::string_view public_url);

/// True for plain http:// to a host that is not this machine: passwords would cross the network in clear.
bool is_clear_text_url(std::string_view public_url);

}  // namespace keyward::app
