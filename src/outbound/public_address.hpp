// Which addresses anybody on the internet may be asked at.
//
// IANA's special-purpose address registries (RFC 6890, RFC 8190) and what came after them. Threat: a URL that
// makes this server ask its own network for somebody else (F7). Answer: for IPv6 only 2000::/3, which alone
// is handed out, without what lies in it and leads elsewhere: 6to4, Teredo, documentation. What carries an
// IPv4 address within (mapped, compatible, NAT64) is outside of it. A mapped address is the IPv4 address for
// IpAddress, and is judged as that. A NAT64 prefix of a network's own cannot be told from any other address.
#pragma once

#include "text/ip_address.hpp"

namespace keyward::outbound {

bool is_public(const text::IpAddress& address);

/// 127.0.0.0/8 or ::1.
bool is_loopback(const text::IpAddress& address);

}  // namespace keyward::outbound
