#include "features/email_change/email_change.hpp"

#include "domain/accounts/accounts.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/added_identities.hpp"
#include "features/limited.hpp"

namespace keyward::features {

namespace {

using domain::TokenPurpose;

constexpr seconds retry_after{600};

std::unexpected<Error> gone() {
  return fail(ErrorCode::invalid_token, "The access token is not valid", "account_gone");
}

domain::SecurityEvent about_address(const web::Client& client, const Uuid& account_id,
                                    std::string_view reason, std::string email) {
  auto event = about("user_updated", client, account_id, reason);
  event.email = std::move(email);
  return event;
}

}  // namespace

Task<Result<EmailChangeAsked>> EmailChange::ask(access::SignedIn who, web::Body<EmailChangeForm> form,
                                                web::Client client, PresentedDevice device,
                                                RequestedLocale locale, web::AnswerHeaders headers) {
  const auto id = who->account.id;
  auto new_email = text::parse_email(form->new_email);
  if (!new_email) co_return fail_field("new_email", std::move(new_email).error().message);
  const auto account = co_await database.read(
      [id](storage::Transaction& transaction) { return domain::find_account(transaction, id); });
  if (!account) co_return gone();
  if (address_of(*account).normalized == new_email->normalized)
    co_return fail_field("new_email", "is the address that the account has");
  auto known = co_await current_password.check({.account = *account,
                                                .password = std::move(form->password),
                                                .client = client,
                                                .device = std::move(device),
                                                .headers = headers,
                                                .refusal_event = "authn_login_fail"});
  if (!known) co_return fail_from(known);

  const Asker asker{std::move(client), std::move(locale.tag),
                    begin_transaction(one_time_tokens, headers).hash};
  const auto asked =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        if (!domain::find_live_account(transaction, who->session_id, id, now)) return gone();
        // As it is now: the warning goes to the address that the account has at this moment.
        const auto current = domain::find_account(transaction, id);
        if (!current || current->password_hash != account->password_hash)
          return fail(ErrorCode::conflict, "The password was changed meanwhile");
        domain::begin_code_transaction(transaction, *asker.transaction_hash, now);
        if (!mails.send_email_change(transaction, *current, {*new_email, who->session_id}, asker))
          return too_many("Too many changes of the address. Try again later", retry_after);
        events.record(transaction,
                      about_address(asker.client, id, "email_change_requested", new_email->as_typed));
        return {};
      });
  if (!asked) co_return std::unexpected(asked.error());
  co_return EmailChangeAsked{"A mail to the new address asks to confirm it", new_email->as_typed};
}

Task<Result<Message>> EmailChange::confirm(web::Public, web::Body<ConfirmForm, web::Unknown::ignored> form,
                                           web::Client client, RequestedLocale locale,
                                           web::AnswerHeaders headers) {
  auto proof = to_proof(std::move(form->token), std::move(form->transaction), std::move(form->code));
  if (!proof) co_return fail_from(proof);
  if (auto done = co_await confirm_by(std::move(*proof), std::move(client), std::move(locale), headers);
      !done)
    co_return fail_from(done);
  co_return Message{"Email changed"};
}

Task<Result<void>> EmailChange::confirm_by(domain::Proof proof, web::Client client, RequestedLocale locale,
                                           web::AnswerHeaders headers) {
  auto token = co_await proofs.present(TokenPurpose::change_email, std::move(proof), client, headers);
  if (!token) co_return fail_from(token);
  const Asker asker{std::move(client), std::move(locale.tag), std::nullopt};
  auto changed = co_await database.write(
      [&](storage::Transaction& transaction) { return make_change(transaction, *token, asker); });
  if (!changed && changed.error().code == ErrorCode::bad_request)
    emit_refused_proof(events, asker.client, TokenPurpose::change_email, {.account_id = token->account_id});
  co_return changed;
}

Result<void> EmailChange::make_change(storage::Transaction& transaction, const domain::OneTimeToken& token,
                                      const Asker& asker) const {
  const auto now = clock.now();
  if (!domain::consume_token(transaction, token.id, TokenPurpose::change_email, now)) return refuse_proof();
  const auto account = domain::find_account(transaction, token.account_id);
  if (!account || account->disabled) return refuse_proof();
  const auto& client = asker.client;
  if (auto set = domain::set_email(transaction, account->id, token.address(), now); !set) return set;
  domain::revoke_tokens(transaction, account->id);
  domain::prolong_undo_tokens(transaction, account->id, address_of(*account).normalized, now);
  const auto ended = domain::end_sessions(transaction, account->id, token.session_id, "email_change", now);
  record_ended(transaction, events, {ended, client, account->id, "email_change"});
  mails.tell_email_changed(transaction, *account, token.address(), asker);
  events.record(transaction, about_address(client, account->id, "email_changed", token.email));
  transaction.after_commit([this, id = account->id] { revisions.bump_account(id); });
  return {};
}

Task<Result<Message>> EmailChange::undo(web::Public, web::Body<UndoForm, web::Unknown::ignored> form,
                                        web::Client client, RequestedLocale locale,
                                        web::AnswerHeaders headers) {
  auto undone = co_await undo_by(std::move(form->token), std::move(client), std::move(locale), headers);
  if (!undone) co_return fail_from(undone);
  co_return Message{"Email change undone"};
}

Task<Result<void>> EmailChange::undo_by(Secret token_text, web::Client client, RequestedLocale locale,
                                        web::AnswerHeaders headers) {
  auto token = co_await proofs.present(TokenPurpose::undo_email_change,
                                       domain::Proof{std::move(token_text), {}, {}}, client, headers);
  if (!token) co_return fail_from(token);
  const Asker asker{std::move(client), std::move(locale.tag), std::nullopt};
  auto undone = co_await database.write(
      [&](storage::Transaction& transaction) { return take_back(transaction, *token, asker); });
  if (!undone && undone.error().code == ErrorCode::bad_request)
    emit_refused_proof(events, asker.client, TokenPurpose::undo_email_change,
                       {.account_id = token->account_id});
  co_return undone;
}

Result<void> EmailChange::take_back(storage::Transaction& transaction, const domain::OneTimeToken& token,
                                    const Asker& asker) const {
  const auto now = clock.now();
  const auto id = token.account_id;
  if (!domain::consume_token(transaction, token.id, TokenPurpose::undo_email_change, now))
    return refuse_proof();
  const auto before = domain::find_account(transaction, id);
  if (auto set = domain::set_email(transaction, id, token.address(), now); !set) return set;
  // Whoever asked for the change knew the password.
  domain::clear_password_hash(transaction, id, now);
  disconnect_added_identities(transaction, events, asker.client, id);
  domain::revoke_tokens(transaction, id);
  domain::revoke_undo_tokens_since(transaction, id, token.created_at);
  const auto ended = domain::end_sessions(transaction, id, std::nullopt, "email_change_undone", now);
  events.record(transaction, about_address(asker.client, id, "email_change_undone", token.email));
  record_ended(transaction, events, {ended, asker.client, id, "email_change_undone"});
  if (before && address_of(*before).normalized != token.email_normalized)
    mails.tell_email_changed(transaction, *before, token.address(), asker);
  const auto account = domain::find_account(transaction, id);
  if (account && !account->disabled) mails.send_needed_reset(transaction, *account, asker);
  transaction.after_commit([this, id] { revisions.bump_account(id); });
  return {};
}

}  // namespace keyward::features
