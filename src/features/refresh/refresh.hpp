// Refresh: a client goes on with its session: a new access token, and the next refresh token.
//
// POST /refresh {refresh_token} as JSON or a form
//   -> 200 {access_token, refresh_token, token_type: "bearer", expires_in, user_id}
//   -> 401, one for every kind of refusal · 422 · 429 with Retry-After · 503
//
// RFC 6749 §6, RFC 9700 §4.14. The rules are in protocol/refresh, the picture in docs/design/refresh.md.
// Threats: a stolen token (whoever comes second ends the session,
// and the owner is told by mail, O14) · parallel calls, two tabs and lost
// answers (one generation each time, the same tokens again within the window, O15, R2) · a forged token (told
// by its code; the database is not asked) · a disabled account, a changed password, a logout (each ends the
// session, or is read in the same transaction, A5, S5) · a token for ever (idle and absolute limit, S4) ·
// rights that were taken away since (roles are read anew; the scope never widens).
#pragma once

#include "base/random.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/refresh.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "features/account_mails.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "features/outcome.hpp"
#include "features/requested_locale.hpp"
#include "features/token_answer.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct RefreshForm {
  Secret refresh_token;

  static constexpr auto checks() {
    return web::fields(web::field(&RefreshForm::refresh_token, web::WriteOnly{},
                                  web::Description{"As the login or the last refresh gave it"}));
  }
};
BOOST_DESCRIBE_STRUCT(RefreshForm, (), (refresh_token))

/// What came of refreshes, for metrics.
inline constexpr std::array<std::string_view, 11> refresh_results{
    "rotated",       "renewed",      "repeated",         "reuse",        "not_genuine", "account_disabled",
    "session_ended", "idle_expired", "absolute_expired", "rate_limited", "unavailable"};

struct Refresh {
  storage::Database& database;
  domain::KeyRing& keys;
  const domain::TokenIssuer& tokens;
  const domain::RefreshTokens& refresh_tokens;
  domain::Revisions& revisions;
  const domain::SessionSettings& sessions;
  AddressLimits& limits;
  const AccountMails& mails;
  domain::EventLog& events;
  const Clock& clock;
  Random& random;
  WordCounts results{refresh_results};

  Task<Result<TokenAnswer>> refresh(web::Public, web::Body<RefreshForm, web::Unknown::ignored> form,
                                    web::Client client, RequestedLocale locale, web::AnswerHeaders headers);

 private:
  /// In the write: what the decision is told as.
  void record(storage::Transaction& transaction, const domain::Refreshed& refreshed, const Uuid& session_id,
              const Asker& asker) const;
};

}  // namespace keyward::features
