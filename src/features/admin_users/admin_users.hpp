// AdminUsers: whoever may looks after other people's accounts.
//
// GET    /users?q=&role=&disabled=&limit=&after= -> 200 {items, next}; `q` is how the e-mail address begins
// GET    /users/{user_id} -> 200 {id, email, email_verified, full_name, roles, disabled, created_at,
//                            last_login_at}
// PATCH  /users/{user_id} {full_name?, disabled?, roles?} -> 200 as GET. `disabled: true` ends all sessions;
//                            `roles` is the whole list, and needs roles:grant as well
// DELETE /users/{user_id} -> 200 {message: "User deleted"}
//   403 without the permission, or against the rules of domain/roles/rules.hpp · 404 · 409 the last admin
//
// Threats: an admin who makes themselves or a friend more than they are (Z3: domain/roles/rules.hpp, asked
// inside the write with the rights of there and then) · the last admin locked out, also by two who demote
// each other at once (a condition of the statement itself) · an admin who chooses or sees a password (P13:
// no member of these bodies or answers is one) · a right that was just taken away (read anew in the write) ·
// members that nobody may set (the form's type refuses them, Z2).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/has_permission.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/acting.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct AdminUserView {
  Uuid id;
  std::string email;
  bool email_verified = false;
  std::optional<std::string> full_name;
  std::vector<std::string> roles;
  bool disabled = false;
  Time created_at;
  std::optional<Time> last_login_at;
};
BOOST_DESCRIBE_STRUCT(AdminUserView, (),
                      (id, email, email_verified, full_name, roles, disabled, created_at, last_login_at))

struct UserSearch {
  std::optional<std::string> q;
  std::optional<std::string> role;
  std::optional<bool> disabled;
  std::int64_t limit = limits::page_default_items;
  std::optional<Uuid> after;

  static constexpr auto checks() {
    return web::fields(web::field(&UserSearch::q, web::MaxCodePoints{limits::email_max_bytes},
                                  web::Description{"How the e-mail address begins"}),
                       web::field(&UserSearch::role, web::MaxCodePoints{limits::role_name_max_bytes}),
                       web::field(&UserSearch::limit, web::MayBeAbsent{}, web::Minimum{1},
                                  web::Maximum{limits::page_max_items}),
                       web::field(&UserSearch::after, web::Description{"`next` of the page before"}));
  }
};
BOOST_DESCRIBE_STRUCT(UserSearch, (), (q, role, disabled, limit, after))

struct UserChange {
  web::Field<std::string> full_name;
  web::Field<bool> disabled;
  web::Field<std::vector<std::string>> roles;

  static constexpr auto checks() {
    return web::fields(
        web::field(&UserChange::full_name, web::MaxCodePoints{limits::full_name_max_code_points},
                   web::NoControlCharacters{}, web::Example{"Ada Lovelace"}),
        web::field(&UserChange::disabled, web::Description{"true ends every session of the account"}),
        web::field(&UserChange::roles, web::MaxItems{limits::roles_of_account_max},
                   web::MaxCodePoints{limits::role_name_max_bytes},
                   web::Description{"All roles of the account; needs roles:grant as well"}));
  }
};
BOOST_DESCRIBE_STRUCT(UserChange, (), (full_name, disabled, roles))

struct UserDeleted {
  std::string message;
};
BOOST_DESCRIBE_STRUCT(UserDeleted, (), (message))

struct AdminUsers {
  using UserId = web::Path<"user_id", Uuid>;

  storage::Database& database;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<web::Page<AdminUserView>>> list(access::HasPermission<"users:read"> who,
                                              web::Query<UserSearch> search);
  Task<Result<AdminUserView>> show(access::HasPermission<"users:read"> who, UserId id);
  Task<Result<AdminUserView>> change(access::HasPermission<"users:write"> who, UserId id,
                                     web::Body<UserChange> form, web::Client client);
  Task<Result<UserDeleted>> remove(access::HasPermission<"users:delete"> who, UserId id, web::Client client);

 private:
  /// Each is what one member of the form asks for, inside the write.
  Result<void> change_disabled(storage::Transaction& transaction, const access::Principal& who,
                               const domain::Account& account, bool disabled, const web::Client& client,
                               Time now);
  Result<void> change_roles(storage::Transaction& transaction, const access::Principal& who,
                            domain::PermissionSet own, const Uuid& account_id,
                            const std::vector<std::string>& wanted, const web::Client& client, Time now);
  Result<AdminUserView> change_now(storage::Transaction& transaction, const access::Principal& who,
                                   const Uuid& id, const UserChange& form, const web::Client& client,
                                   Time now);
};

}  // namespace keyward::features
