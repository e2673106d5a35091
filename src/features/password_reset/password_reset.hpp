// PasswordReset: a person who forgot their password chooses a new one, by a mail to the account's address.
//
// POST /forgot-password {email} -> 200 {message}, always the same · 422 no address · 429 with Retry-After
// POST /reset-password {token | transaction, code; new_password}
//   -> 204; every session ends, the owner is told by mail, nobody is logged in, the address counts as
//   verified
//   -> 400 one answer for every bad proof · 422 (which uses nothing up) · 503 busy
//
// OWASP, Forgot Password Cheat Sheet. Threats: telling who has an account (the answer is made before anything
// is looked up, A6; domain/deferred) · a mailbox that is flooded, or an owner whose last link is always dead
// (so many mails an hour, then none and the last link stays good, A9) · N uses of one link (one wins, R2) ·
// links of before (R3) · an address that was changed since · hashing for strangers (the proof is looked at
// first) · a thief whose session goes on (all end, refresh tokens with them) · an owner who used up their
// logins before they gave up (they are forgotten).
#pragma once

#include <optional>
#include <string>

#include "domain/audit/event_log.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/asking.hpp"
#include "features/limited.hpp"
#include "features/one_time_proof.hpp"
#include "features/password_attempts.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct ForgotForm {
  std::string email;

  static constexpr auto checks() {
    return web::fields(web::field(&ForgotForm::email, web::Email{}, web::Example{"ada@example.com"}));
  }
};
BOOST_DESCRIBE_STRUCT(ForgotForm, (), (email))

struct ResetForm {
  std::optional<Secret> token;
  std::optional<Secret> transaction;
  std::optional<Secret> code;
  Secret new_password;

  static constexpr auto checks() {
    return std::tuple_cat(one_time_proof_checks<ResetForm>(),
                          web::fields(web::field(&ResetForm::new_password, web::WriteOnly{},
                                                 web::MinCodePoints{limits::password_min_code_points},
                                                 web::Description{"8 or more characters, hard to guess"})));
  }
};
BOOST_DESCRIBE_STRUCT(ResetForm, (), (token, transaction, code, new_password))

struct PasswordReset {
  storage::Database& database;
  OneTimeProofs& proofs;
  domain::PasswordHasher& hasher;
  const domain::PasswordPolicy& policy;
  const AccountMails& mails;
  domain::OneTimeTokens& one_time_tokens;
  domain::DeferredRequests& deferred;
  domain::Revisions& revisions;
  AddressLimits& limits;
  PasswordAttempts& attempts;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<Message>> forgot(web::Public, web::Body<ForgotForm, web::Unknown::ignored> form,
                               web::Client client, RequestedLocale locale, web::AnswerHeaders headers);
  Task<Result<web::NoContent>> reset(web::Public, web::Body<ResetForm, web::Unknown::ignored> form,
                                     web::Client client, RequestedLocale locale, web::AnswerHeaders headers);

  // The same for the pages.
  /// Returns the transaction that the code will count with.
  Task<Result<std::string>> ask(std::string email, web::Client client, RequestedLocale locale,
                                web::AnswerHeaders headers);
  Task<Result<void>> reset_by(domain::Proof proof, Secret new_password, web::Client client,
                              RequestedLocale locale, web::AnswerHeaders headers);

  /// After the answer to a forgotten password.
  void carry_out(storage::Transaction& transaction, const domain::DeferredRequest& request) const;

 private:
  struct Change {
    domain::OneTimeToken token;
    std::string new_hash;
    Asker asker;
  };
  /// In one transaction, or not at all. Error: bad_request, when the proof is no longer good.
  Result<void> make_change(storage::Transaction& transaction, const Change& change) const;
};

}  // namespace keyward::features
