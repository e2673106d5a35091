#include "features/logout/logout.hpp"

#include "domain/sessions/sessions.hpp"

namespace keyward::features {

void Logout::end(storage::Transaction& transaction, const Uuid& session_id, const web::Client& client,
                 Time now) const {
  const auto owner = domain::find_session_owner(transaction, session_id);
  if (!owner || !domain::end_session(transaction, session_id, *owner, "logout", now)) return;
  for (const std::string_view name : {"session_logout", "authn_token_revoked"}) {
    auto event = about(name, client, owner, "logout");
    event.session_id = session_id;
    events.record(transaction, std::move(event));
  }
  transaction.after_commit([this, id = *owner] { revisions.bump_account(id); });
}

Task<Result<web::NoContent>> Logout::log_out(access::MaybeSignedIn who, web::OptionalBody<LogoutForm> form,
                                             web::Client client) {
  std::optional<domain::RefreshTokens::Named> named;
  if (form->refresh_token) {
    named = refresh_tokens.parse(form->refresh_token->text());
    // Whoever is signed in meant to leave, whatever became of the other token.
    if (!named && who.find() == nullptr) {
      co_return fail(ErrorCode::invalid_credentials, "The refresh token is not valid", "not_genuine");
    }
  } else if (who.find() == nullptr) {
    co_return std::unexpected(who.refusal());
  }
  co_await database.write([&, now = clock.now()](storage::Transaction& transaction) {
    if (named) end(transaction, named->session_id, client, now);
    if (who.find() != nullptr) end(transaction, who.find()->session_id, client, now);
  });
  co_return web::NoContent{};
}

}  // namespace keyward::features
