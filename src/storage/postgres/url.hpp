// postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE: the URL of a database, as libpq reads it.
//
// Threat: the password in a message or on a screen. Answer: what libpq says of a URL that it cannot read
// quotes from it, so that no message of ours repeats it; shown_url() is put together from the parts, without
// those that libpq itself calls secret.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::storage::postgres {

/// Begins with postgres:// or postgresql://.
bool is_url(std::string_view text);

/// Whether libpq can read it.
Result<void> check_url(std::string_view url);

/// For people: the URL with ******** in the place of a password. Of a good URL only.
std::string shown_url(std::string_view url);

}  // namespace keyward::storage::postgres
