// refresh_session: a refresh token's call on a session's row: read, decided (protocol/refresh), carried out
// in one conditional statement.
//
// Of N parallel calls with one generation exactly one advances it (R2): the statement's condition is the
// generation that was read. Who loses the race reads again, and finds the generation just replaced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/sessions/refresh_tokens.hpp"
#include "domain/sessions/sessions.hpp"
#include "protocol/refresh/refresh.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct Refreshed {
  protocol::refresh::Decision decision;
  std::optional<Uuid> account_id;  // none: there is no such session any more
  std::vector<std::string> roles;  // for advance, renew and repeat, of the same moment
};

/// Does what decide() says, ends included: the caller's closure commits whatever came of it.
Refreshed refresh_session(storage::Transaction& transaction, const RefreshTokens::Named& presented,
                          const Device& device, const SessionSettings& settings, Time now);

}  // namespace keyward::domain
