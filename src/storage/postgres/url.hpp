// postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE: the URL of a database, as libpq reads it.
//
// Threat: the password in a message or on a screen. Answer: what libpq says of a URL that it cannot read
// quotes from it, so that no message of ours repeats it; shown_url() is put together from the parts, without
// those that libpq itself calls secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace keyward::storage::postgres {

/// Begins with postgres:// or postgresql://.
bool is_url(std::string_view text);

/// Whether libpq can read it.
Result<void> check_url(std::string_view url);

/// Whom a connection goes to, and whether they are asked to prove it.
struct Peers {
  std::vector<std::string> hosts;    // names, addresses or sockets' folders; none: libpq's default, a socket
  bool has_to_prove_itself = false;  // sslmode=verify-full: a certificate for that name, by a known authority
};

/// Of a good URL only.
Peers peers_of(std::string_view url);

/// For people: the URL with ******** in the place of a password. Of a good URL only.
std::string shown_url(std::string_view url);

}  // namespace keyward::storage::postgres
