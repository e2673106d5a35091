// Target: what a URL that we are to ask names, read strictly.
//
// RFC 3986, and of it only what a server of ours needs: http or https, a host, a port, a path and a query.
// Threat: a URL that two readers understand differently, so that one checks a host and the other asks
// another (user:password@, a backslash, 0x7f.1 or 2130706433 for 127.0.0.1). Answer: one reader, who refuses
// all of these; what it lets pass as an address is dotted decimal or RFC 4291's form, and is checked like one
// that a name resolved to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::outbound {

/// What may be asked. `public_only`: addresses that anybody on the internet may ask (public_address.hpp).
/// `private_allowed`: any, for a server in the company's own network.
enum class Network : std::uint8_t { public_only, private_allowed };

struct Target {
  bool tls = true;
  std::string host;  // lower case, without a dot at its end; an address in its one spelling, without brackets
  std::uint16_t port = 0;
  std::string path_and_query;  // begins with a slash
  std::string origin;          // `https://host`, with the port if it is not the scheme's own
};

/// Of an absolute URL without user and fragment, of limits::outbound_url_max_bytes at most. Error:
/// invalid_input, with a sentence.
Result<Target> parse_target(std::string_view url);

}  // namespace keyward::outbound
