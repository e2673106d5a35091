// Logout: a client ends its own session.
//
// POST /logout, signed in or with {refresh_token} as JSON or a form -> 204
//   -> 401 with neither, or with a refresh token that is not genuine
//
// Threats: a token that outlives the logout (the session ends in the database, and this node's caches are
// told, S5) · a client whose access token has expired (the refresh token alone does, of any generation: who
// held it once may end the session, and can do no more with it) · a logout that is sent twice (the second is
// 204 as well: what was wanted is so).
#pragma once

#include <optional>

#include "access/maybe_signed_in.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/sessions/refresh_tokens.hpp"
#include "features/events.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct LogoutForm {
  std::optional<Secret> refresh_token;

  static constexpr auto checks() {
    return web::fields(web::field(&LogoutForm::refresh_token, web::WriteOnly{},
                                  web::Description{"Instead of an access token, or beside it"}));
  }
};
BOOST_DESCRIBE_STRUCT(LogoutForm, (), (refresh_token))

struct Logout {
  storage::Database& database;
  const domain::RefreshTokens& refresh_tokens;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<web::NoContent>> log_out(access::MaybeSignedIn who, web::OptionalBody<LogoutForm> form,
                                       web::Client client);

 private:
  void end(storage::Transaction& transaction, const Uuid& session_id, const web::Client& client,
           Time now) const;
};

}  // namespace keyward::features
