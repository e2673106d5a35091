#include "domain/roles/roles.hpp"

#include <boost/describe/class.hpp>

#include "domain/roles/keeps_an_admin.hpp"

namespace keyward::domain {

namespace {

/// A row of `roles`.
struct RoleRow {
  std::string name;
  std::optional<std::string> description;
  Time created_at;
  Time updated_at;
};
BOOST_DESCRIBE_STRUCT(RoleRow, (), (name, description, created_at, updated_at))

PermissionSet read_permissions(storage::Transaction& transaction, std::string_view role) {
  if (role == role_admin) return PermissionSet::everything();
  PermissionSet permissions;
  if (is_built_in_role(role)) return permissions;
  for (const auto& name : transaction.list<std::string>(
           "SELECT permission FROM role_permissions WHERE role = $1 ORDER BY permission", role)) {
    permissions.add(name);
  }
  return permissions;
}

Role to_role(storage::Transaction& transaction, RoleRow row) {
  const auto permissions = read_permissions(transaction, row.name);
  return {std::move(row.name), std::move(row.description), permissions, row.created_at, row.updated_at};
}

}  // namespace

std::optional<Role> find_role(storage::Transaction& transaction, std::string_view name) {
  auto row = transaction.find<RoleRow>(
      "SELECT name, description, created_at, updated_at FROM roles WHERE name = $1", name);
  if (!row) return std::nullopt;
  return to_role(transaction, std::move(*row));
}

RolePage list_all_roles(storage::Transaction& transaction, std::string_view after, std::int64_t limit) {
  RolePage page;
  for (auto& row : transaction.list<RoleRow>("SELECT name, description, created_at, updated_at FROM roles "
                                             "WHERE name > $1 ORDER BY name LIMIT $2",
                                             after, limit + 1)) {
    // The row more than was asked for tells that there is a next page.
    if (page.items.size() == static_cast<std::size_t>(limit)) {
      page.next = page.items.back().name;
      break;
    }
    page.items.push_back(to_role(transaction, std::move(row)));
  }
  return page;
}

void put_role(storage::Transaction& transaction, const Role& role) {
  transaction.execute(
      "INSERT INTO roles (name, description, created_at, updated_at) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (name) DO UPDATE SET description = excluded.description, updated_at = excluded.updated_at",
      role.name, role.description, role.created_at, role.updated_at);
  transaction.execute("DELETE FROM role_permissions WHERE role = $1", role.name);
  for (const auto& permission : role.permissions.names()) {
    transaction.execute("INSERT INTO role_permissions (role, permission) VALUES ($1, $2)", role.name,
                        permission);
  }
}

Result<void> delete_role(storage::Transaction& transaction, std::string_view name) {
  const auto deleted = transaction.execute(
      "DELETE FROM roles WHERE name = $1 AND NOT EXISTS (SELECT 1 FROM account_roles WHERE role = $1)", name);
  if (deleted == 1) return {};
  if (!find_role(transaction, name)) return fail(ErrorCode::not_found, "There is no such role");
  return fail(ErrorCode::conflict, "Some accounts still have this role");
}

Result<void> change_roles(storage::Transaction& transaction, const Uuid& account_id, const RoleChange& change,
                          Time now) {
  for (const auto& role : change.added) {
    transaction.execute(
        "INSERT INTO account_roles (account_id, role, granted_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (account_id, role) DO NOTHING",
        account_id, role, now);
  }
  for (const auto& role : change.removed) {
    if (role != role_admin) {
      transaction.execute("DELETE FROM account_roles WHERE account_id = $1 AND role = $2", account_id, role);
      continue;
    }
    const auto taken = transaction.execute(
        "DELETE FROM account_roles WHERE account_id = $1 AND role = 'admin' AND " KEYWARD_KEEPS_AN_ADMIN,
        account_id);
    if (taken == 0) return refuse_to_lose_last_admin();
  }
  return {};
}

bool has_any_admin(storage::Transaction& transaction) {
  return !transaction.list<std::string>("SELECT role FROM account_roles WHERE role = 'admin' LIMIT 1")
              .empty();
}

std::unexpected<Error> refuse_to_lose_last_admin() {
  return fail(ErrorCode::conflict, "This is the last admin: make another one first");
}

}  // namespace keyward::domain
