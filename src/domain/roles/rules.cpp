#include "domain/roles/rules.hpp"

#include <iterator>

#include "base/limits.hpp"

namespace keyward::domain {

namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::unexpected<Error> refuse(std::string message) { return fail(ErrorCode::forbidden, std::move(message)); }

}  // namespace

bool is_role_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::role_name_max_bytes && is_lower_or_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_lower_or_digit(c) || c == '-' || c == '_'; });
}

Result<void> check_has(PermissionSet own, std::string_view needed) {
  if (own.contains(needed)) return {};
  return refuse("You may not do this: it needs " + std::string{needed});
}

Result<void> check_may_change_account(PermissionSet own, PermissionSet theirs) {
  if (own.includes(theirs)) return {};
  return refuse("This account may do more than you may");
}

Result<void> check_may_grant(PermissionSet own, std::string_view role, PermissionSet of_role) {
  if (own.includes(of_role)) return {};
  return refuse("You cannot give the role " + std::string{role} + ": it allows more than you may");
}

Result<void> check_may_write_role(PermissionSet own, PermissionSet before, PermissionSet after) {
  if (!own.includes(before)) return refuse("This role allows more than you may");
  if (!own.includes(after)) return refuse("You cannot put a permission in a role that you lack yourself");
  return {};
}

std::vector<std::string> RoleChange::details() const {
  std::vector<std::string> texts;
  for (const auto& role : added) texts.push_back("roles +" + role);
  for (const auto& role : removed) texts.push_back("roles -" + role);
  return texts;
}

RoleChange compare_roles(std::vector<std::string> held, std::vector<std::string> wanted) {
  std::ranges::sort(held);
  std::ranges::sort(wanted);
  wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());
  RoleChange change;
  std::ranges::set_difference(wanted, held, std::back_inserter(change.added));
  std::ranges::set_difference(held, wanted, std::back_inserter(change.removed));
  return change;
}

}  // namespace keyward::domain
