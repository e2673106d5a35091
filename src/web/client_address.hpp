// Who the client is when proxies stand in between.
//
// The address of a client is the socket's peer, unless the peer is a trusted proxy: then the last hop that
// X-Forwarded-For (or Forwarded, RFC 7239) names and that is no trusted proxy itself, read from the right,
// where the proxies of ours write. What stands further left was sent by the client, which can write anything.
//
// Threats: an address that the caller chose, to be counted or logged as somebody else (A3; only what a listed
// proxy wrote counts, and "everybody" is no list) · a value that cannot be read, to slip past whatever looks
// at the address (A4; reading stops there, and the nearest proxy that is known answers for it: a policy is
// never skipped) · a header of thousands of hops (a bound on how many are looked at) · the header that the
// proxy does not write, which it passes on from the client (one of the two is read, the setting says which;
// X-Real-IP and the others never, and links are made of the public URL, not of X-Forwarded-Host).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "text/ip_address.hpp"
#include "web/message.hpp"

namespace keyward::web {

/// Where trusted proxies say who the client is.
enum class ProxyHeader : std::uint8_t { x_forwarded_for, forwarded };

class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// Addresses and networks with commas between them: `10.0.0.0/8, fd00::/8, 192.0.2.7`; empty: none.
  /// Error: invalid_input, with a sentence for the operator.
  static Result<TrustedProxies> parse(std::string_view text);

  [[nodiscard]] bool empty() const { return networks_.empty(); }
  [[nodiscard]] bool trusts(const text::IpAddress& address) const;
  [[nodiscard]] const std::string& text() const { return text_; }  // as it was given

 private:
  std::vector<text::IpNetwork> networks_;
  std::string text_;
};

/// `peer` is the socket's own; it is the answer whenever nothing better is known.
std::string client_address(std::string_view peer, std::span<const Header> headers,
                           const TrustedProxies& proxies,
                           ProxyHeader proxy_header = ProxyHeader::x_forwarded_for);

/// A proxy seems to stand before us that nobody listed when both are true: then all clients share its
/// address.
bool names_a_client(std::span<const Header> headers);                          // in one of the two headers
bool is_unlisted_proxy(std::string_view peer, const TrustedProxies& proxies);  // private or loopback

}  // namespace keyward::web
