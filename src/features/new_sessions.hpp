// NewSessions: what every login ends in, however the person proved who they are: a session, its events, what
// the owner is told of it, and the tokens.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/refresh_tokens.hpp"
#include "domain/sessions/sessions.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "features/account_mails.hpp"
#include "features/token_answer.hpp"
#include "storage/database.hpp"

namespace keyward::features {

/// Who comes, as far as the owner is told of it.
struct Visitor {
  Asker asker;
  std::optional<Time> device_known_at = {};  // it brought a good token, of then
  std::uint32_t failures_before = 0;         // wrong passwords
  std::string provider = {};                 // that vouched for them; empty: a password did
};

struct NewSession {
  Uuid id;
  Uuid account_id;
  std::vector<std::string> roles;
};

class NewSessions {
 public:
  struct Dependencies {
    storage::Database& database;
    domain::KeyRing& keys;
    const domain::TokenIssuer& tokens;
    const domain::RefreshTokens& refresh_tokens;
    domain::Revisions& revisions;
    const domain::SessionSettings& settings;
    const AccountMails& mails;
    domain::EventLog& events;
    const Clock& clock;
    Random& random;
  };
  explicit NewSessions(Dependencies dependencies) : uses_(dependencies) {}

  /// Runs `open` in a write and answers with the tokens of the session that it made by make().
  template <std::invocable<storage::Transaction&> F>
  Task<Result<TokenAnswer>> start(F open) {
    const auto known_keys = co_await keys_before();
    auto session = co_await uses_.database.write(std::move(open));
    if (!session) co_return fail_from(session);
    co_return co_await answer(std::move(*session), known_keys);
  }

  /// The same in parts, for a write that refuses without being undone. The keys come before the change: once
  /// it is made, its client must get an answer.
  Task<domain::KeySnapshotPointer> keys_before() { return uses_.keys.current(); }
  Task<TokenAnswer> answer(NewSession session, domain::KeySnapshotPointer known_keys) const;

  /// In that write, when it is proved who comes and the login is recorded (domain::record_login).
  NewSession make(storage::Transaction& transaction, const domain::Account& account, const Visitor& visitor,
                  Time now) const;

 private:
  void tell_owner(storage::Transaction& transaction, const domain::Account& account,
                  const Visitor& visitor) const;
  Dependencies uses_;
};

}  // namespace keyward::features
