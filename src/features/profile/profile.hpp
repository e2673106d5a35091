// Profile: the signed-in person and their own account.
//
// GET /me    -> 200 {id, email, email_verified, full_name, roles, created_at, last_login_at}
// PATCH /me {full_name?} -> 200 as GET; null removes the name; any other member is refused (Z2)
// DELETE /me -> 204; the account and its sessions are gone, and the owner is told by mail · 409 for the last
// admin
//   (Z3), and while a change of the address can still be undone
// POST /me/password {current_password, new_password} -> 204; every other session ends (S5)
//   and the owner is told by mail
//   -> 403 `Current password is wrong` (P7) · 409 changed meanwhile · 422 · 429 as at login
//
// Threats: a stolen access token (cannot change the password without it, nor guess
// it here: the attempts are those of login, password_attempts.hpp) · two changes at once (one
// conditional update: one wins) · a privileged member in the body (refused by the form's type).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/signed_in.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/current_password.hpp"
#include "features/events.hpp"
#include "features/requested_locale.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct UserView {
  Uuid id;
  std::string email;
  bool email_verified = false;
  std::optional<std::string> full_name;
  std::vector<std::string> roles;
  Time created_at;
  std::optional<Time> last_login_at;
};
BOOST_DESCRIBE_STRUCT(UserView, (), (id, email, email_verified, full_name, roles, created_at, last_login_at))

struct ProfileChange {
  web::Field<std::string> full_name;

  static constexpr auto checks() {
    return web::fields(web::field(&ProfileChange::full_name,
                                  web::MaxCodePoints{limits::full_name_max_code_points},
                                  web::NoControlCharacters{}, web::Example{"Ada Lovelace"}));
  }
};
BOOST_DESCRIBE_STRUCT(ProfileChange, (), (full_name))

struct PasswordChange {
  Secret current_password;
  Secret new_password;

  static constexpr auto checks() {
    return web::fields(web::field(&PasswordChange::current_password, web::WriteOnly{}),
                       web::field(&PasswordChange::new_password, web::WriteOnly{},
                                  web::MinCodePoints{limits::password_min_code_points},
                                  web::Description{"8 or more characters, hard to guess"}));
  }
};
BOOST_DESCRIBE_STRUCT(PasswordChange, (), (current_password, new_password))

struct Profile {
  storage::Database& database;
  domain::PasswordHasher& hasher;
  const domain::PasswordPolicy& policy;
  domain::Revisions& revisions;
  CurrentPassword& current_password;
  const AccountMails& mails;
  domain::EventLog& events;
  const Clock& clock;

  /// Answered from what the access check has just read: no second look at the database.
  Result<UserView> me(access::SignedIn who) const;
  Task<Result<UserView>> change(access::SignedIn who, web::Body<ProfileChange> form, web::Client client);
  Task<Result<web::NoContent>> leave(access::SignedIn who, web::Client client, RequestedLocale locale);
  Task<Result<web::NoContent>> change_password(access::SignedIn who, web::Body<PasswordChange> form,
                                               web::Client client, PresentedDevice device,
                                               RequestedLocale locale, web::AnswerHeaders headers);
};

}  // namespace keyward::features
