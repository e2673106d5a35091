// Permissions: the one catalogue of what may be allowed, and sets of it.
//
// A name that is not here means nothing anywhere: HasPermission<> does not compile with it, a role cannot be
// given it, and a row in the database that bears it (of another release, or written by hand) grants nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyward::domain {

struct Permission {
  std::string_view name;
  std::string_view meaning;
};

inline constexpr std::array all_permissions{
    Permission{"audit:read", "Read the audit trail"},
    Permission{"roles:grant", "Grant roles to accounts and take them away"},
    Permission{"roles:read", "List the roles and their permissions"},
    Permission{"roles:write", "Make, change and delete roles"},
    Permission{"users:delete", "Delete accounts"},
    Permission{"users:read", "List, search and read accounts"},
    Permission{"users:write", "Change, disable and enable accounts"},
};

/// The roles that always exist and that nobody can change. `user` has no permission: it is what everybody
/// becomes who registers. `admin` has every permission by definition, a later release's included.
inline constexpr std::string_view role_user = "user";
inline constexpr std::string_view role_admin = "admin";
inline constexpr std::array built_in_roles{role_admin, role_user};

constexpr bool is_built_in_role(std::string_view name) {
  return std::ranges::find(built_in_roles, name) != built_in_roles.end();
}

constexpr std::optional<std::size_t> find_permission(std::string_view name) {
  const auto* const found = std::ranges::find(all_permissions, name, &Permission::name);
  if (found == all_permissions.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all_permissions.begin());
}

/// What somebody may do. everything() is more than all of the catalogue together: only `admin` has it, so
/// that nobody without it passes for an admin's equal.
class PermissionSet {
 public:
  constexpr PermissionSet() = default;
  static constexpr PermissionSet everything() { return PermissionSet{~std::uint64_t{0}}; }

  /// A name that is not in the catalogue adds nothing.
  constexpr PermissionSet& add(std::string_view name) {
    if (const auto index = find_permission(name)) bits_ |= std::uint64_t{1} << *index;
    return *this;
  }
  constexpr PermissionSet& add(PermissionSet others) {
    bits_ |= others.bits_;
    return *this;
  }
  [[nodiscard]] constexpr bool contains(std::string_view name) const {
    const auto index = find_permission(name);
    return index && (bits_ >> *index & 1U) != 0;
  }
  [[nodiscard]] constexpr bool includes(PermissionSet others) const { return (others.bits_ & ~bits_) == 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  /// In the catalogue's order.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> held;
    for (const auto& permission : all_permissions) {
      if (contains(permission.name)) held.emplace_back(permission.name);
    }
    return held;
  }

  constexpr bool operator==(const PermissionSet&) const = default;

 private:
  static_assert(all_permissions.size() < 64, "the last bit is everything()'s own");
  explicit constexpr PermissionSet(std::uint64_t bits) : bits_(bits) {}

  std::uint64_t bits_ = 0;
};

}  // namespace keyward::domain
