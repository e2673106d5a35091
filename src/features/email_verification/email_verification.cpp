#include "features/email_verification/email_verification.hpp"

#include "domain/accounts/accounts.hpp"

namespace keyward::features {

Task<Result<Message>> EmailVerification::verify(web::Public,
                                                web::Body<VerificationForm, web::Unknown::ignored> form,
                                                web::Client client, web::AnswerHeaders headers) {
  auto proof = to_proof(std::move(form->token), std::move(form->transaction), std::move(form->code));
  if (!proof) co_return fail_from(proof);
  if (auto verified = co_await verify_by(std::move(*proof), std::move(client), headers); !verified)
    co_return fail_from(verified);
  co_return Message{"Email verified"};
}

Task<Result<void>> EmailVerification::verify_by(domain::Proof proof, web::Client client,
                                                web::AnswerHeaders headers) {
  constexpr auto purpose = domain::TokenPurpose::verify_email;
  auto token = co_await proofs.present(purpose, std::move(proof), client, headers);
  if (!token) co_return fail_from(token);
  const auto verified =
      co_await database.write([&, now = clock.now()](storage::Transaction& transaction) -> Result<void> {
        if (!domain::consume_token(transaction, token->id, purpose, now)) return refuse_proof();
        if (!domain::set_email_verified(transaction, token->account_id, token->email_normalized, now))
          return refuse_proof();
        auto event = about("user_updated", client, token->account_id, "email_verified");
        event.email = token->email;
        events.record(transaction, std::move(event));
        transaction.after_commit([this, id = token->account_id] { revisions.bump_account(id); });
        return {};
      });
  if (!verified) emit_refused_proof(events, client, purpose, {.account_id = token->account_id});
  co_return verified;
}

Task<Result<Message>> EmailVerification::resend(web::Public,
                                                web::Body<ResendForm, web::Unknown::ignored> form,
                                                web::Client client, RequestedLocale locale,
                                                web::AnswerHeaders headers) {
  auto asked = co_await ask(std::move(form->email), std::move(client), std::move(locale), headers);
  if (!asked) co_return fail_from(asked);
  co_return Message{"If the address waits for verification, a mail was sent"};
}

Task<Result<std::string>> EmailVerification::ask(std::string email, web::Client client,
                                                 RequestedLocale locale, web::AnswerHeaders headers) {
  return ask_later({database, one_time_tokens, deferred, limits, clock},
                   domain::deferred_kind::resend_verification, std::move(email), std::move(client),
                   std::move(locale), headers);
}

void EmailVerification::carry_out(storage::Transaction& transaction,
                                  const domain::DeferredRequest& request) const {
  const auto email = text::parse_email(request.email);
  const auto account = email ? domain::find_account_by_email(transaction, email->normalized) : std::nullopt;
  if (!account || account->disabled || account->email_verified || !sends_mails) return;
  // Without a password that is its owner's (registration.cpp) the address alone would be of no use.
  if (account->password_hash) {
    mails.send_verification(transaction, *account, to_asker(request));
  } else {
    mails.send_reset(transaction, *account, to_asker(request));
  }
}

}  // namespace keyward::features
