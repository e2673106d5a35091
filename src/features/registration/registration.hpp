// Registration: a person makes an account.
//
// POST /register {email, password, full_name?} -> 201 {message, email, id}
//                                              -> 400 `Email already registered` · 422 with every bad field ·
//                                              429 with Retry-After · 503 busy
// Unknown members are ignored: none of them (roles, email_verified, …) can have an effect (Z2).
// A mail asks to confirm the address; its code counts with the answer's `Keyward-Transaction`. With
// registration.verification = required there is no 400: the account is made after the answer, and an address
// that is taken gets another mail (A7).
//
// Threats: accounts made, or addresses asked for, by the thousand (a limit for each client address) · weak or
// known passwords (refused, P1, P5, P6) · a huge password as a weapon (measured before hashing, P4) · two at
// once with one address (one conditional insert) · lookalike spellings of one address (compared normalised) ·
// somebody who registers your address before you do, and hopes that you confirm it for them (when you
// register yourself, their link is dead and their password worth nothing, and the mail that you get lets you
// choose one).
#pragma once

#include <optional>
#include <string>

#include "base/random.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "features/account_mails.hpp"
#include "features/asking.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "features/outcome.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

enum class Verification : std::uint8_t {
  off,       // no mail
  optional,  // a mail, and login without waiting for it
  required,  // no login before it
};

struct RegistrationForm {
  std::string email;
  Secret password;
  std::optional<std::string> full_name;

  static constexpr auto checks() {
    return web::fields(
        web::field(&RegistrationForm::email, web::Email{}, web::Example{"ada@example.com"}),
        web::field(&RegistrationForm::password, web::WriteOnly{},
                   web::MinCodePoints{limits::password_min_code_points},
                   web::Description{"8 or more characters, hard to guess"},
                   web::Example{"violet orbit candle 94"}),
        web::field(&RegistrationForm::full_name, web::MaxCodePoints{limits::full_name_max_code_points},
                   web::NoControlCharacters{}, web::Example{"Ada Lovelace"}));
  }
};
BOOST_DESCRIBE_STRUCT(RegistrationForm, (), (email, password, full_name))

struct Registered {
  std::string message;
  std::string email;
  Uuid id;
};
BOOST_DESCRIBE_STRUCT(Registered, (), (message, email, id))

/// What came of registrations, for metrics. Where nothing is told of who is registered, all are a success.
/// Elsewhere what is taken and what is not well-formed are one word: a count must not tell who is registered.
inline constexpr std::array<std::string_view, 4> registration_results{"success", "refused", "rate_limited",
                                                                      "unavailable"};

struct Registration {
  storage::Database& database;
  domain::PasswordHasher& hasher;
  const domain::PasswordPolicy& policy;
  AddressLimits& limits;
  const AccountMails& mails;
  domain::OneTimeTokens& one_time_tokens;
  domain::DeferredRequests& deferred;
  domain::EventLog& events;
  const Clock& clock;
  Random& random;
  Verification verification = Verification::optional;
  WordCounts results{registration_results};

  Task<Result<web::Created<Registered>>> register_account(
      web::Public, web::Body<RegistrationForm, web::Unknown::ignored> form, web::Client client,
      RequestedLocale locale, web::AnswerHeaders headers);

  /// After the answer, with verification required: makes the account, or tells its owner.
  void carry_out(storage::Transaction& transaction, const domain::DeferredRequest& request) const;

 private:
  /// In one transaction: the account, its event, its mail. False when the address is taken.
  bool make_account(storage::Transaction& transaction, const domain::NewAccount& account,
                    const Asker& asker) const;
  [[nodiscard]] Task<bool> is_taken(std::string normalized) const;
};

}  // namespace keyward::features
