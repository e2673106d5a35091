// Login: a person proves who they are and gets a session: an access token and a refresh token.
//
// POST /login {email | username, password} as JSON or a form
//   -> 200 {access_token, refresh_token, token_type: "bearer", expires_in, user_id}
//      and `Keyward-Device: kw_dv_…`, with an https public URL as the cookie `__Host-kw_device` too: a login
//      that brings it back is not held up by what strangers tried at the account
//   -> 401 `Invalid credentials` · 422 · 429 with Retry-After after five wrong passwords · 503 busy
//
// Threats: guessing (password_attempts.hpp; A1, A2, A3) · telling who exists (one answer, and one hash's
// work, for a wrong password, an unknown address, a disabled or unverified account and one without a
// password, A6) · a password of megabytes (measured before hashing, P4) · hashes of yesterday's strength
// (upgraded in one conditional update after a good login, P9) · a disable or a password change between the
// check and the session (recording the login is conditional on both, S5) · a thief with the right password
// (the owner is told by mail of a device that was not there before, and of a login after wrong passwords,
// A10).
#pragma once

#include <optional>
#include <string>

#include "base/random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "features/events.hpp"
#include "features/new_sessions.hpp"
#include "features/outcome.hpp"
#include "features/password_attempts.hpp"
#include "features/requested_locale.hpp"
#include "features/token_answer.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct LoginForm {
  std::optional<std::string> email;
  std::optional<std::string> username;  // what OAuth2 clients call the same thing
  Secret password;

  static constexpr auto checks() {
    return web::fields(
        web::field(&LoginForm::email, web::Description{"Or `username`"}, web::Example{"ada@example.com"}),
        web::field(&LoginForm::username, web::Description{"The e-mail address, for OAuth2 form clients"}),
        web::field(&LoginForm::password, web::WriteOnly{}, web::Example{"violet orbit candle 94"}));
  }
};
BOOST_DESCRIBE_STRUCT(LoginForm, (), (email, username, password))

/// What came of logins, for metrics: no word that tells whether there is an account (A6).
inline constexpr std::array<std::string_view, 5> login_results{
    "success", "invalid_credentials", "rate_limited", "invalid_input", "unavailable"};

struct Login {
  storage::Database& database;
  domain::PasswordHasher& hasher;
  NewSessions& sessions;
  PasswordAttempts& attempts;
  domain::EventLog& events;
  const Clock& clock;
  bool needs_verified_email = false;
  WordCounts results{login_results};

  Task<Result<TokenAnswer>> log_in(web::Public, web::Body<LoginForm, web::Unknown::ignored> form,
                                   web::Client client, PresentedDevice device, RequestedLocale locale,
                                   web::AnswerHeaders headers);

 private:
  Task<Result<TokenAnswer>> log_in_within_limits(std::string name, Secret password, Visitor visitor);
  /// The account whose password this is; otherwise the reason for the log.
  Task<Result<domain::Account>> check_credentials(std::string name, Secret password, web::Client client);
  Task<Result<TokenAnswer>> start_session(domain::Account account, Visitor visitor);
};

}  // namespace keyward::features
