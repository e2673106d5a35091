// OneTimeProof: what the calls have in common that take the token or the code of a mail.
//
// {token} or {transaction, code}: one of the two (422 otherwise). Whatever is wrong with it (never issued,
// used, too old, of another purpose, the code of another transaction, one try too many) is one answer, 400.
#pragma once

#include <optional>
#include <string>

#include "base/limits.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

/// What a form says about its members `token`, `transaction` and `code`, each std::optional<Secret>.
template <class Form>
constexpr auto one_time_proof_checks() {
  constexpr web::MaxCodePoints at_most{limits::one_time_token_max_bytes};
  return web::fields(
      web::field(&Form::token, web::WriteOnly{}, at_most, web::Description{"Of the link in the mail"}),
      web::field(&Form::transaction, web::WriteOnly{}, at_most,
                 web::Description{"Instead of the token, with `code`: the header Keyward-Transaction of the "
                                  "answer to the call that the mail came of"}),
      web::field(&Form::code, web::WriteOnly{}, at_most,
                 web::Description{"Of the mail; counts for ten minutes and five tries"},
                 web::Example{"K7PM-2QXD"}));
}

/// The form's two ways as one. Error: invalid_input.
Result<domain::Proof> to_proof(std::optional<Secret> token, std::optional<Secret> transaction,
                               std::optional<Secret> code);

std::unexpected<Error> refuse_proof();

/// The event of a refused proof, before its 400; of the last wrong code as well.
void emit_refused_proof(domain::EventLog& events, const web::Client& client, domain::TokenPurpose purpose,
                        const domain::Presented& presented);

struct OneTimeProofs {
  storage::Database& database;
  domain::OneTimeTokens& tokens;
  AddressLimits& limits;
  domain::EventLog& events;
  const Clock& clock;

  /// Looks, and uses nothing up but a try. Errors: bad_request, too_many_requests.
  Task<Result<domain::OneTimeToken>> present(domain::TokenPurpose purpose, domain::Proof proof,
                                             web::Client client, web::AnswerHeaders headers);
};

}  // namespace keyward::features
