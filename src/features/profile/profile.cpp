#include "features/profile/profile.hpp"

#include "domain/accounts/accounts.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "domain/sessions/sessions.hpp"

namespace keyward::features {

namespace {

UserView view(const access::Principal& who) {
  const auto& account = who.account;
  return {account.id, account.email,      account.email_verified, account.full_name,
          who.roles,  account.created_at, account.last_login_at};
}

/// What the access check saw, once more inside the write: an account disabled or a session ended since then
/// writes nothing.
bool may_write(storage::Transaction& transaction, const access::Principal& who, Time now) {
  return domain::find_live_account(transaction, who.session_id, who.account.id, now).has_value();
}

/// The account went between the access check and this statement.
std::unexpected<Error> gone() {
  return fail(ErrorCode::invalid_token, "The access token is not valid", "account_gone");
}

}  // namespace

Result<UserView> Profile::me(access::SignedIn who) const { return view(*who); }

Task<Result<UserView>> Profile::change(access::SignedIn who, web::Body<ProfileChange> form,
                                       web::Client client) {
  auto changed = view(*who);
  if (form->full_name.absent()) co_return changed;
  changed.full_name = form->full_name.as_optional();
  const bool stored = co_await database.write([&, now = clock.now()](storage::Transaction& transaction) {
    transaction.after_commit([this, id = changed.id] { revisions.bump_account(id); });
    if (!may_write(transaction, *who, now) ||
        !domain::set_full_name(transaction, changed.id, changed.full_name, now))
      return false;
    auto event = about("user_updated", client, changed.id, "by_owner");
    event.detail = "full_name";
    events.record(transaction, std::move(event));
    return true;
  });
  if (!stored) co_return gone();
  co_return changed;
}

Task<Result<web::NoContent>> Profile::leave(access::SignedIn who, web::Client client,
                                            RequestedLocale locale) {
  const auto deleted =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        if (!may_write(transaction, *who, now)) return gone();
        // Whoever can go back to the old address may be the owner, and this a thief who covers their tracks.
        if (domain::has_undo_token(transaction, who->account.id, now)) {
          return fail(ErrorCode::conflict,
                      "The address was changed lately: the account can be deleted when that can no longer be "
                      "undone");
        }
        const auto account = domain::find_account(transaction, who->account.id);
        if (auto left = domain::delete_account(transaction, who->account.id); !left) return left;
        if (account) mails.tell_account_deleted(transaction, *account, {client, locale.tag, std::nullopt});
        transaction.after_commit([this, id = who->account.id] { revisions.bump_account(id); });
        auto event = about("user_deleted", client, who->account.id, "by_owner");
        event.email = who->account.email;
        events.record(transaction, std::move(event));
        return {};
      });
  if (!deleted) co_return std::unexpected(deleted.error());
  co_return web::NoContent{};
}

Task<Result<web::NoContent>> Profile::change_password(access::SignedIn who, web::Body<PasswordChange> form,
                                                      web::Client client, PresentedDevice device,
                                                      RequestedLocale locale, web::AnswerHeaders headers) {
  const auto id = who->account.id;
  const auto account = co_await database.read(
      [id](storage::Transaction& transaction) { return domain::find_account(transaction, id); });
  if (!account) co_return gone();
  const auto old_hash = account->password_hash.value_or("");

  auto wanted = domain::prepare_password(std::move(form->new_password), "new_password");
  if (!wanted) co_return fail_from(wanted);
  const domain::NewPassword about_it{.email = account->email,
                                     .full_name = account->full_name.value_or(""),
                                     .service_name = {},
                                     .field = "new_password"};
  // Before the current one is looked at: otherwise a weak new one tells whether that was right, and changes
  // nothing.
  if (auto strong = co_await hasher.check_new(*wanted, policy, about_it); !strong)
    co_return fail_from(strong);
  auto known = co_await current_password.check({.account = *account,
                                                .password = std::move(form->current_password),
                                                .client = client,
                                                .device = std::move(device),
                                                .headers = headers,
                                                .field = "current_password",
                                                .refusal_event = "authn_password_change_fail"});
  if (!known) co_return fail_from(known);
  auto new_hash = co_await hasher.hash(std::move(*wanted));
  if (!new_hash) co_return fail_from(new_hash);

  const auto changed =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        if (!may_write(transaction, *who, now)) return gone();
        if (!domain::replace_password_hash(transaction, id, old_hash, *new_hash, now)) {
          return fail(ErrorCode::conflict, "The password was changed meanwhile");
        }
        domain::revoke_tokens(transaction, id);
        const auto ended = domain::end_sessions(transaction, id, who->session_id, "password_change", now);
        mails.tell_password_changed(transaction, *account, {client, locale.tag, std::nullopt});
        events.record(transaction, about("authn_password_change", client, id));
        record_ended(transaction, events, {ended, client, id, "password_change"});
        transaction.after_commit([this, id] { revisions.bump_account(id); });
        return {};
      });
  if (!changed) co_return std::unexpected(changed.error());
  co_return web::NoContent{};
}

}  // namespace keyward::features
