#include "domain/roles/rights.hpp"

#include <boost/describe/class.hpp>
#include <optional>

namespace keyward::domain {

namespace {

struct RolePermission {
  std::string role;
  std::optional<std::string> permission;
};
BOOST_DESCRIBE_STRUCT(RolePermission, (), (role, permission))

}  // namespace

Rights read_rights(storage::Transaction& transaction, const Uuid& account_id) {
  const auto rows = transaction.list<RolePermission>(
      "SELECT r.role AS role, p.permission AS permission FROM account_roles r "
      "LEFT JOIN role_permissions p ON p.role = r.role WHERE r.account_id = $1 ORDER BY r.role",
      account_id);
  Rights rights;
  for (const auto& row : rows) {
    if (rights.roles.empty() || rights.roles.back() != row.role) rights.roles.push_back(row.role);
    // Whatever rows somebody wrote for a built-in role: they mean what this program says.
    if (row.role == role_admin) rights.permissions.add(PermissionSet::everything());
    if (row.permission && !is_built_in_role(row.role)) rights.permissions.add(*row.permission);
  }
  std::ranges::sort(rights.roles);  // as bytes, whatever the database's collation
  return rights;
}

}  // namespace keyward::domain
