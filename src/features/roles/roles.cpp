#include "features/roles/roles.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace keyward::features {

namespace {

RoleView view(domain::Role role) {
  const bool built_in = domain::is_built_in_role(role.name);
  return {std::move(role.name),     std::move(role.description),
          role.permissions.names(), built_in,
          role.created_at,          role.updated_at};
}

Result<void> check_not_built_in(std::string_view name) {
  if (!domain::is_built_in_role(name)) return {};
  return fail(ErrorCode::conflict, fmt::format("The role {} is built in: it stays as it is", name));
}

/// `role editors: users:read users:write`, for the event.
std::string to_detail(std::string_view name, const std::vector<std::string>& permissions) {
  return fmt::format("role {}: {}", name, fmt::join(permissions, " "));
}

}  // namespace

std::optional<std::string> check_permission(std::string_view text) {
  if (domain::find_permission(text)) return std::nullopt;
  std::string names;
  for (const auto& permission : domain::all_permissions)
    names += (names.empty() ? "" : ", ") + std::string{permission.name};
  return "is no permission; there are " + names;
}

Task<Result<web::Page<RoleView>>> Roles::list(access::HasPermission<"roles:read">,
                                              web::Query<RoleListing> listing) {
  auto found = co_await database.read([listing = *listing](storage::Transaction& transaction) {
    return domain::list_all_roles(transaction, listing.after.value_or(""), listing.limit);
  });
  web::Page<RoleView> page{.items = {}, .next = std::move(found.next)};
  for (auto& role : found.items) page.items.push_back(view(std::move(role)));
  co_return page;
}

Result<domain::Role> Roles::put_now(storage::Transaction& transaction, const access::Principal& who,
                                    domain::Role wanted, const web::Client& client) {
  const auto own = check_acting(transaction, who, "roles:write", wanted.updated_at);
  if (!own) return std::unexpected(own.error());
  const auto before = domain::find_role(transaction, wanted.name);
  const auto had = before ? before->permissions : domain::PermissionSet{};
  if (auto allowed = domain::check_may_write_role(*own, had, wanted.permissions); !allowed)
    return fail_from(allowed);
  if (before) wanted.created_at = before->created_at;
  domain::put_role(transaction, wanted);
  transaction.after_commit([this] { revisions.bump_roles(); });
  auto event = by_admin("privilege_permissions_changed", who, client, std::nullopt,
                        to_detail(wanted.name, wanted.permissions.names()));
  event.reason = before ? "role_changed" : "role_made";
  events.record(transaction, std::move(event));
  return wanted;
}

Task<Result<RoleView>> Roles::put(access::HasPermission<"roles:write"> who, RoleName name,
                                  web::Body<RoleForm> form, web::Client client) {
  if (!domain::is_role_name(*name)) {
    co_return fail_field("name",
                         fmt::format("a role's name is lower-case letters, digits, - and _, at most {}",
                                     limits::role_name_max_bytes));
  }
  if (auto changeable = check_not_built_in(*name); !changeable) co_return fail_from(changeable);
  const auto now = clock.now();
  domain::Role wanted{*name, std::move(form->description), {}, now, now};
  for (const auto& permission : form->permissions) wanted.permissions.add(permission);
  auto stored = co_await database.write(
      [&](storage::Transaction& transaction) { return put_now(transaction, *who, wanted, client); });
  if (!stored) co_return refuse_acting(events, *who, client, std::nullopt, std::move(stored).error());
  co_return view(std::move(*stored));
}

Result<void> Roles::remove_now(storage::Transaction& transaction, const access::Principal& who,
                               const std::string& name, const web::Client& client, Time now) {
  const auto own = check_acting(transaction, who, "roles:write", now);
  if (!own) return std::unexpected(own.error());
  const auto role = domain::find_role(transaction, name);
  if (!role) return fail(ErrorCode::not_found, "There is no such role");
  if (auto allowed = domain::check_may_write_role(*own, role->permissions, {}); !allowed) return allowed;
  if (auto deleted = domain::delete_role(transaction, name); !deleted) return deleted;
  transaction.after_commit([this] { revisions.bump_roles(); });
  auto event = by_admin("privilege_permissions_changed", who, client, std::nullopt, to_detail(name, {}));
  event.reason = "role_deleted";
  events.record(transaction, std::move(event));
  return {};
}

Task<Result<web::NoContent>> Roles::remove(access::HasPermission<"roles:write"> who, RoleName name,
                                           web::Client client) {
  if (auto changeable = check_not_built_in(*name); !changeable) co_return fail_from(changeable);
  auto removed = co_await database.write([&, now = clock.now()](storage::Transaction& transaction) {
    return remove_now(transaction, *who, *name, client, now);
  });
  if (!removed) co_return refuse_acting(events, *who, client, std::nullopt, std::move(removed).error());
  co_return web::NoContent{};
}

}  // namespace keyward::features
