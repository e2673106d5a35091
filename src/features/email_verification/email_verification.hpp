// EmailVerification: a person shows that they read the mail of the address that they registered with.
//
// POST /verify-email {token} or {transaction, code} -> 200 {message} · 400 one answer for every bad proof ·
// 422 POST /verify-email/resend {email} -> 200 {message}, always the same · 422 no address · 429 with
// Retry-After
//
// Threats: telling who has an account, or who has verified (the answer to a resend is made before anything is
// looked up, A6; domain/deferred) · a mail scanner that opens links (GET consumes nothing: the page posts) ·
// an address that was changed since (what was mailed counts for the address that it was mailed to) · proofs
// that are guessed (domain/one_time_tokens, R1, R9). Verifying logs nobody in.
#pragma once

#include <optional>
#include <string>

#include "domain/audit/event_log.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/asking.hpp"
#include "features/limited.hpp"
#include "features/one_time_proof.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct VerificationForm {
  std::optional<Secret> token;
  std::optional<Secret> transaction;
  std::optional<Secret> code;

  static constexpr auto checks() { return one_time_proof_checks<VerificationForm>(); }
};
BOOST_DESCRIBE_STRUCT(VerificationForm, (), (token, transaction, code))

struct ResendForm {
  std::string email;

  static constexpr auto checks() {
    return web::fields(web::field(&ResendForm::email, web::Email{}, web::Example{"ada@example.com"}));
  }
};
BOOST_DESCRIBE_STRUCT(ResendForm, (), (email))

struct EmailVerification {
  storage::Database& database;
  OneTimeProofs& proofs;
  const AccountMails& mails;
  domain::OneTimeTokens& one_time_tokens;
  domain::DeferredRequests& deferred;
  domain::Revisions& revisions;
  AddressLimits& limits;
  domain::EventLog& events;
  const Clock& clock;
  bool sends_mails = true;  // registration.verification is not off

  Task<Result<Message>> verify(web::Public, web::Body<VerificationForm, web::Unknown::ignored> form,
                               web::Client client, web::AnswerHeaders headers);
  Task<Result<Message>> resend(web::Public, web::Body<ResendForm, web::Unknown::ignored> form,
                               web::Client client, RequestedLocale locale, web::AnswerHeaders headers);

  // The same for the pages.
  Task<Result<void>> verify_by(domain::Proof proof, web::Client client, web::AnswerHeaders headers);
  /// Returns the transaction that the code will count with.
  Task<Result<std::string>> ask(std::string email, web::Client client, RequestedLocale locale,
                                web::AnswerHeaders headers);

  /// After the answer to a resend.
  void carry_out(storage::Transaction& transaction, const domain::DeferredRequest& request) const;
};

}  // namespace keyward::features
