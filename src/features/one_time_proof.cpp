#include "features/one_time_proof.hpp"

#include "base/limits.hpp"

namespace keyward::features {

Result<domain::Proof> to_proof(std::optional<Secret> token, std::optional<Secret> transaction,
                               std::optional<Secret> code) {
  if (token && !token->empty() && !transaction && !code) return domain::Proof{std::move(*token), {}, {}};
  if (!token && transaction && code) return domain::Proof{{}, std::move(*transaction), std::move(*code)};
  return fail_field("token", "send either token, or transaction and code");
}

std::unexpected<Error> refuse_proof() {
  return fail(ErrorCode::bad_request, "The link or code is not valid, was used, or has expired");
}

void emit_refused_proof(domain::EventLog& events, const web::Client& client, domain::TokenPurpose purpose,
                        const domain::Presented& presented) {
  auto event = about("authz_fail", client, presented.account_id, "one_time_token");
  event.detail = to_string(purpose);
  events.emit(event);
  if (!presented.was_last_try) return;
  event.name = "excess_rate_limit_exceeded";
  event.reason = "code_tries";
  events.emit(std::move(event));
}

Task<Result<domain::OneTimeToken>> OneTimeProofs::present(domain::TokenPurpose purpose, domain::Proof proof,
                                                          web::Client client, web::AnswerHeaders headers) {
  if (auto admitted = co_await limits.admit(domain::LimitClass::proof_address, client, headers); !admitted)
    co_return fail_from(admitted);
  if (!domain::has_form_of(proof, purpose)) {
    emit_refused_proof(events, client, purpose, {});
    co_return refuse_proof();
  }
  const auto now = clock.now();
  const auto look = [&](storage::Transaction& transaction) {
    return tokens.present(transaction, purpose, proof, now);
  };
  // A code's try is counted, which is a write; a token is only looked for.
  auto presented = proof.is_code() ? co_await database.write(look) : co_await database.read(look);
  if (presented.token) co_return std::move(*presented.token);
  emit_refused_proof(events, client, purpose, presented);
  co_return refuse_proof();
}

}  // namespace keyward::features
