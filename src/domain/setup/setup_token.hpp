// SetupToken: the one-time secret that makes the first admin of an empty installation (P12: there is no
// default account).
//
// `kw_setup_` + base64url(256 random bits); only its SHA-256 is stored. It is made when there is no account
// at all, and dead as soon as it was used or anybody is an admin. There is never more than one that lives.
// Threats: a stolen database holds no usable token (R1) · two who use it at once (one conditional update: one
// wins, R2) · a token that lies about after an admin was made another way (a condition of its use).
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

Secret make_setup_token(Random& random);
Bytes hash_setup_token(BytesView token);

/// Whether this token would be taken now.
bool is_setup_token_live(storage::Transaction& transaction, const Bytes& hash);
/// Uses it up: true for exactly one caller.
[[nodiscard]] bool consume_setup_token(storage::Transaction& transaction, const Bytes& hash, Time now);

/// At the start of a server: what is to be done about a token.
enum class SetupNeed {
  none,   // there is an admin, or there were accounts before there was ever a token
  token,  // nobody is there yet, or a token was made and nobody has used it
};
SetupNeed find_setup_need(storage::Transaction& transaction);
/// Makes this one the only token that lives.
void replace_setup_token(storage::Transaction& transaction, const Bytes& hash, Time now);

}  // namespace keyward::domain
