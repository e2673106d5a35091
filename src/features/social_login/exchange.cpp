#include "features/social_login/exchange.hpp"

#include "domain/accounts/accounts.hpp"
#include "protocol/oauth2/pkce.hpp"

namespace keyward::features {

std::unexpected<Error> refuse_code(std::string_view why) {
  return fail(ErrorCode::bad_request, "The code is not valid or has expired", std::string{why});
}

Task<Result<TokenAnswer>> Exchange::exchange(web::Public, web::Body<ExchangeForm, web::Unknown::ignored> form,
                                             web::Client client, RequestedLocale locale,
                                             web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::exchange_address, client, headers); !admitted)
    co_return fail_from(admitted);
  // What can be none is told without using the code up.
  if (!protocol::oauth2::is_verifier(form->code_verifier.text()))
    co_return fail_field("code_verifier", "must be 43 to 128 letters, digits or -._~ (RFC 7636)");
  const Asker asker{std::move(client), std::move(locale.tag), std::nullopt};
  const auto known_keys = co_await sessions.keys_before();
  auto exchanged = co_await database.write(
      [&](storage::Transaction& transaction) { return take(transaction, form.value, asker); });
  if (exchanged.session) co_return co_await sessions.answer(std::move(*exchanged.session), known_keys);
  auto event = about("authn_login_fail", asker.client, exchanged.account_id, exchanged.refusal);
  event.detail = exchanged.provider;
  events.emit(std::move(event));
  co_return refuse_code(exchanged.refusal);
}

Exchange::Exchanged Exchange::take(storage::Transaction& transaction, const ExchangeForm& form,
                                   const Asker& asker) const {
  const auto now = clock.now();
  const auto code = form.code.text();
  const auto taken = domain::use_login_code(transaction, code, now);
  if (!taken) {
    end_reused(transaction, code, asker);
    return {.refusal = "handover_code"};
  }
  const auto refuse = [&](std::string_view why) -> Exchanged {
    return {.refusal = why, .account_id = taken->account_id, .provider = taken->provider};
  };
  if (!protocol::oauth2::verifies(form.code_verifier.text(), taken->code_challenge))
    return refuse("code_verifier");
  const auto account = domain::find_account(transaction, taken->account_id);
  // Disabled since the browser came back.
  if (!account || !domain::record_login(transaction, account->id, now)) return refuse("account_disabled");
  Visitor visitor{.asker = asker, .provider = taken->provider};
  // The session is the browser's, whose application may ask from a server.
  visitor.asker.client.user_agent = taken->user_agent;
  visitor.asker.client.address = taken->address;
  auto session = sessions.make(transaction, *account, visitor, now);
  domain::note_session_of_code(transaction, code, session.id);
  return {.session = std::move(session)};
}

void Exchange::end_reused(storage::Transaction& transaction, std::string_view code,
                          const Asker& asker) const {
  const auto used = domain::find_used_code(transaction, code);
  if (!used ||
      !domain::end_session(transaction, used->session_id, used->account_id, "code_reuse", clock.now()))
    return;
  auto event = about("authn_token_reuse", asker.client, used->account_id, "handover_code");
  event.session_id = used->session_id;
  events.record(transaction, std::move(event));
  if (const auto account = domain::find_account(transaction, used->account_id))
    mails.tell_session_ended_reuse(transaction, *account, asker);
  transaction.after_commit([this, id = used->account_id] { revisions.bump_account(id); });
}

}  // namespace keyward::features
