// Rights: what an account may do, from its roles. Read when a token is used, never from the token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "domain/roles/permissions.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct Rights {
  std::vector<std::string> roles;  // sorted
  PermissionSet permissions;       // of all of them

  [[nodiscard]] bool has_role(std::string_view name) const {
    return std::ranges::find(roles, name) != roles.end();
  }
};

Rights read_rights(storage::Transaction& transaction, const Uuid& account_id);

}  // namespace keyward::domain
