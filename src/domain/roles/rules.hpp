// Rules: who may give whom what. Pure functions over sets of permissions; whoever changes something asks them
// inside the transaction of the change, with the rights that the database tells there and then.
//
// Z3: nobody grants a permission that they lack · so nobody raises themselves · nobody changes, disables or
// deletes an account that may do more than they may, nor a role that allows more. What must not be undone in
// parallel (the last admin) is a condition of the statement itself: see keeps_an_admin.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "domain/roles/permissions.hpp"

namespace keyward::domain {

/// Lower-case letters, digits, `-` and `_`, beginning with a letter or a digit; at most
/// limits::role_name_max_bytes.
bool is_role_name(std::string_view name);

/// `own` has the permission `needed`.
Result<void> check_has(PermissionSet own, std::string_view needed);
/// An account that may do `theirs` can be changed, disabled or deleted.
Result<void> check_may_change_account(PermissionSet own, PermissionSet theirs);
/// A role that allows `of_role` can be given to somebody.
Result<void> check_may_grant(PermissionSet own, std::string_view role, PermissionSet of_role);
/// A role that allowed `before` can allow `after` instead (nothing: it is made, or deleted).
Result<void> check_may_write_role(PermissionSet own, PermissionSet before, PermissionSet after);

struct RoleChange {
  std::vector<std::string> added, removed;

  [[nodiscard]] bool empty() const { return added.empty() && removed.empty(); }
  /// `roles +admin`, `roles -user`: one for each event, so that none is cut off behind others.
  [[nodiscard]] std::vector<std::string> details() const;
};
/// From the roles that are held to those that are wanted; both in any order, `wanted` perhaps with
/// duplicates.
RoleChange compare_roles(std::vector<std::string> held, std::vector<std::string> wanted);

}  // namespace keyward::domain
