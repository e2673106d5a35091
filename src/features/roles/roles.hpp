// Roles: named sets of permissions that people make.
//
// GET    /roles?limit=&after= -> 200 {items, next}
// PUT    /roles/{name} {permissions[], description?} -> 200 {name, description, permissions, built_in,
//                         created_at, updated_at}; makes it, or replaces both
// DELETE /roles/{name} -> 204 · 404 · 409 while an account has it
//   403 without the permission or against the rules of domain/roles/rules.hpp · 409 a built-in role ·
//   422 an unknown permission, or a name that is none
//
// Threats: a permission put in a role that one has oneself (Z3: nobody puts in what they lack) · a mistyped
// permission that silently allows nothing (refused) · a role that changes while tokens live (its revision:
// counts at the next request).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/has_permission.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/roles/roles.hpp"
#include "features/acting.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct RoleView {
  std::string name;
  std::optional<std::string> description;
  std::vector<std::string> permissions;
  bool built_in = false;
  Time created_at;
  Time updated_at;
};
BOOST_DESCRIBE_STRUCT(RoleView, (), (name, description, permissions, built_in, created_at, updated_at))

struct RoleListing {
  std::int64_t limit = limits::page_max_items;
  std::optional<std::string> after;

  static constexpr auto checks() {
    return web::fields(web::field(&RoleListing::limit, web::MayBeAbsent{}, web::Minimum{1},
                                  web::Maximum{limits::page_max_items}),
                       web::field(&RoleListing::after, web::MaxCodePoints{limits::role_name_max_bytes},
                                  web::Description{"`next` of the page before"}));
  }
};
BOOST_DESCRIBE_STRUCT(RoleListing, (), (limit, after))

/// The check of one element of `permissions`.
std::optional<std::string> check_permission(std::string_view text);

struct RoleForm {
  std::vector<std::string> permissions;
  std::optional<std::string> description;

  static constexpr auto checks() {
    return web::fields(
        web::field(&RoleForm::permissions, web::MaxItems{domain::all_permissions.size()},
                   web::Check{&check_permission}, web::Example{"users:read"}),
        web::field(&RoleForm::description, web::MaxCodePoints{limits::role_description_max_code_points},
                   web::NoControlCharacters{}));
  }
};
BOOST_DESCRIBE_STRUCT(RoleForm, (), (permissions, description))

struct Roles {
  using RoleName = web::Path<"name", std::string>;

  storage::Database& database;
  domain::Revisions& revisions;
  domain::EventLog& events;
  const Clock& clock;

  Task<Result<web::Page<RoleView>>> list(access::HasPermission<"roles:read"> who,
                                         web::Query<RoleListing> listing);
  Task<Result<RoleView>> put(access::HasPermission<"roles:write"> who, RoleName name,
                             web::Body<RoleForm> form, web::Client client);
  Task<Result<web::NoContent>> remove(access::HasPermission<"roles:write"> who, RoleName name,
                                      web::Client client);

 private:
  Result<domain::Role> put_now(storage::Transaction& transaction, const access::Principal& who,
                               domain::Role wanted, const web::Client& client);
  Result<void> remove_now(storage::Transaction& transaction, const access::Principal& who,
                          const std::string& name, const web::Client& client, Time now);
};

}  // namespace keyward::features
