// Address: where a Redis (or Valkey) is, and as whom to speak to it.
//
//   redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]     TCP in clear
//   rediss://[USER:PASSWORD@]HOST[:PORT][/DATABASE]    TLS; certificate and host name are checked
//   unix:///PATH[?db=DATABASE]                         a socket of this machine
//
// `redis://:PASSWORD@HOST` is the default user's. Threat: a password that is shown. Answer: it is a Secret,
// and shown_url() leaves it out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace keyward::redis {

struct Address {
  std::string host;
  std::uint16_t port = 6379;
  std::string socket_path;  // not empty: this instead of host and port
  std::string user;
  Secret password;
  int database = 0;
  bool tls = false;
};

/// Or what is wrong, in words that repeat nothing of the URL.
Result<Address> parse_url(std::string_view url);

/// For people: with ******** in the place of a password. Of a URL that parse_url() takes.
std::string shown_url(std::string_view url);

/// `HOST:PORT` or the socket's path, for messages.
std::string to_text(const Address& address);

/// In clear to another machine: who listens on the way reads the password.
bool is_in_clear(const Address& address);

}  // namespace keyward::redis
