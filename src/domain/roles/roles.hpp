// Roles: named sets of permissions, and who holds them: the records and their SQL.
//
// Who may ask for which of these is decided before (rules.hpp). The built-in roles are rows as well, so that
// account_roles can refer to them; what they allow is in the code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/uuid.hpp"
#include "domain/roles/permissions.hpp"
#include "domain/roles/rules.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct Role {
  std::string name;
  std::optional<std::string> description;
  PermissionSet permissions;
  Time created_at;
  Time updated_at;
};

std::optional<Role> find_role(storage::Transaction& transaction, std::string_view name);

struct RolePage {
  std::vector<Role> items;
  std::optional<std::string> next;  // pass as `after` for the following page; none: this was the last
};
/// In the order of their names, from behind `after` (empty: from the first).
RolePage list_all_roles(storage::Transaction& transaction, std::string_view after, std::int64_t limit);

/// Makes the role, or gives it other permissions. Not for a built-in one.
void put_role(storage::Transaction& transaction, const Role& role);
/// not_found, or conflict while somebody holds it. Not for a built-in one.
Result<void> delete_role(storage::Transaction& transaction, std::string_view name);

/// Gives and takes; each added role must exist. conflict: it would leave no admin (then nothing may be
/// committed).
Result<void> change_roles(storage::Transaction& transaction, const Uuid& account_id, const RoleChange& change,
                          Time now);

/// Whether anybody holds `admin`, disabled or not.
bool has_any_admin(storage::Transaction& transaction);

/// The refusal of what KEYWARD_KEEPS_AN_ADMIN prevents.
std::unexpected<Error> refuse_to_lose_last_admin();

}  // namespace keyward::domain
