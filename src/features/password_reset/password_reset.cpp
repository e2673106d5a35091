#include "features/password_reset/password_reset.hpp"

#include "domain/accounts/accounts.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/added_identities.hpp"

namespace keyward::features {

namespace {

constexpr auto purpose = domain::TokenPurpose::reset_password;

}  // namespace

Task<Result<Message>> PasswordReset::forgot(web::Public, web::Body<ForgotForm, web::Unknown::ignored> form,
                                            web::Client client, RequestedLocale locale,
                                            web::AnswerHeaders headers) {
  auto asked = co_await ask(std::move(form->email), std::move(client), std::move(locale), headers);
  if (!asked) co_return fail_from(asked);
  co_return Message{"If email exists, reset link sent"};
}

Task<Result<std::string>> PasswordReset::ask(std::string email, web::Client client, RequestedLocale locale,
                                             web::AnswerHeaders headers) {
  return ask_later({database, one_time_tokens, deferred, limits, clock},
                   domain::deferred_kind::forgot_password, std::move(email), std::move(client),
                   std::move(locale), headers);
}

void PasswordReset::carry_out(storage::Transaction& transaction,
                              const domain::DeferredRequest& request) const {
  const auto email = text::parse_email(request.email);
  const auto account = email ? domain::find_account_by_email(transaction, email->normalized) : std::nullopt;
  if (!account || account->disabled) return;
  mails.send_reset(transaction, *account, to_asker(request));
}

Task<Result<web::NoContent>> PasswordReset::reset(web::Public,
                                                  web::Body<ResetForm, web::Unknown::ignored> form,
                                                  web::Client client, RequestedLocale locale,
                                                  web::AnswerHeaders headers) {
  auto proof = to_proof(std::move(form->token), std::move(form->transaction), std::move(form->code));
  if (!proof) co_return fail_from(proof);
  auto done = co_await reset_by(std::move(*proof), std::move(form->new_password), std::move(client),
                                std::move(locale), headers);
  if (!done) co_return fail_from(done);
  co_return web::NoContent{};
}

Task<Result<void>> PasswordReset::reset_by(domain::Proof proof, Secret new_password, web::Client client,
                                           RequestedLocale locale, web::AnswerHeaders headers) {
  auto password = domain::prepare_password(std::move(new_password), "new_password");
  if (!password) co_return fail_from(password);
  auto token = co_await proofs.present(purpose, std::move(proof), client, headers);
  if (!token) co_return fail_from(token);

  const auto account = co_await database.read([id = token->account_id](storage::Transaction& transaction) {
    return domain::find_account(transaction, id);
  });
  if (!account) co_return refuse_proof();
  auto hash = co_await hasher.hash_new(
      std::move(*password), policy,
      {.email = account->email, .full_name = account->full_name.value_or(""), .field = "new_password"});
  if (!hash) co_return fail_from(hash);

  const Change change{
      std::move(*token), std::move(*hash), {std::move(client), std::move(locale.tag), std::nullopt}};
  const auto changed = co_await database.write(
      [&](storage::Transaction& transaction) { return make_change(transaction, change); });
  if (!changed) {
    emit_refused_proof(events, change.asker.client, purpose, {.account_id = change.token.account_id});
    co_return changed;
  }
  co_await attempts.forgive(change.token.email);
  co_return changed;
}

Result<void> PasswordReset::make_change(storage::Transaction& transaction, const Change& change) const {
  const auto now = clock.now();
  const auto id = change.token.account_id;
  if (!domain::consume_token(transaction, change.token.id, purpose, now)) return refuse_proof();
  if (!domain::reset_password_hash(transaction, id, change.token.email_normalized, change.new_hash, now))
    return refuse_proof();
  domain::revoke_tokens(transaction, id);
  disconnect_added_identities(transaction, events, change.asker.client, id);
  const auto ended = domain::end_sessions(transaction, id, std::nullopt, "password_reset", now);
  events.record(transaction, about("authn_password_change", change.asker.client, id, "reset"));
  record_ended(transaction, events, {ended, change.asker.client, id, "password_reset"});
  if (const auto account = domain::find_account(transaction, id))
    mails.tell_password_changed(transaction, *account, change.asker);
  transaction.after_commit([this, id] { revisions.bump_account(id); });
  return {};
}

}  // namespace keyward::features
