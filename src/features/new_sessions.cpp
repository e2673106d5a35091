#include "features/new_sessions.hpp"

#include "base/limits.hpp"
#include "features/events.hpp"

namespace keyward::features {

NewSession NewSessions::make(storage::Transaction& transaction, const domain::Account& account,
                             const Visitor& visitor, Time now) const {
  const auto& client = visitor.asker.client;
  tell_owner(transaction, account, visitor);
  NewSession session{Uuid::make_v7(now, uses_.random), account.id,
                     domain::list_roles(transaction, account.id)};
  domain::insert_session(transaction, session.id, account.id, {client.user_agent, client.address},
                         uses_.settings, now);
  auto event = about("authn_login_success", client, account.id, visitor.provider.empty() ? "" : "provider");
  event.session_id = session.id;
  event.detail = visitor.provider;
  uses_.events.record(transaction, event);
  event.name = "authn_token_created";
  uses_.events.record(transaction, std::move(event));
  transaction.after_commit([this, id = account.id] { uses_.revisions.bump_account(id); });
  return session;
}

Task<TokenAnswer> NewSessions::answer(NewSession session, domain::KeySnapshotPointer known_keys) const {
  const auto keys = co_await uses_.keys.current_or(std::move(known_keys));
  // The time is read afresh: a key may have become active since the session was made.
  auto access_token = uses_.tokens.issue(
      *keys, {.account_id = session.account_id, .session_id = session.id, .roles = std::move(session.roles)},
      uses_.clock.now(), uses_.random);
  co_return TokenAnswer{std::move(access_token), uses_.refresh_tokens.make({session.id, 0}), "bearer",
                        uses_.tokens.lifetime().count(), session.account_id};
}

void NewSessions::tell_owner(storage::Transaction& transaction, const domain::Account& account,
                             const Visitor& visitor) const {
  const auto& client = visitor.asker.client;
  if (visitor.failures_before != 0) {
    auto event = about("authn_login_successafterfail", client, account.id);
    event.detail = "failures " + std::to_string(visitor.failures_before);
    uses_.events.record(transaction, std::move(event));
  }
  if (visitor.failures_before >= limits::failures_to_tell) {
    uses_.mails.tell_login_after_failures(transaction, account, visitor.asker);
    return;
  }
  // The first login of all is its owner's, who knows of it.
  if (!account.last_login_at) return;
  // A token from before the password was changed may be the thief's for whom it was changed.
  const auto changed = account.password_changed_at.value_or(Time{});
  if (visitor.device_known_at && *visitor.device_known_at >= changed) return;
  if (domain::has_login_from(transaction, account.id, {client.user_agent, client.address})) return;
  uses_.mails.tell_new_device(transaction, account, visitor.asker);
}

}  // namespace keyward::features
