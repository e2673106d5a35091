// Accounts: the people, and the SQL that knows them.
//
// Every function takes a Transaction and is one or two statements; whatever must happen once is one
// conditional statement.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"
#include "text/email.hpp"

namespace keyward::domain {

/// A row of `accounts`.
struct Account {
  Uuid id;
  std::string email;  // as typed
  bool email_verified = false;
  std::optional<std::string> full_name;
  std::optional<std::string> password_hash;  // none: no way in by password
  bool disabled = false;
  Time created_at;
  std::optional<Time> last_login_at;
  std::optional<Time> password_changed_at;
};
BOOST_DESCRIBE_STRUCT(Account, (),
                      (id, email, email_verified, full_name, password_hash, disabled, created_at,
                       last_login_at, password_changed_at))

struct NewAccount {
  Uuid id;
  text::EmailAddress email;
  std::optional<std::string> full_name;
  std::optional<std::string> password_hash;  // none: no way in by password
  bool email_verified = false;
  std::vector<std::string> roles{"user"};
  Time created_at;
};

/// False when the address is taken, or another account can still go back to it; nothing is stored then. Of N
/// parallel calls with one address exactly one wins.
[[nodiscard]] bool insert_account(storage::Transaction& transaction, const NewAccount& account);

std::optional<Account> find_account(storage::Transaction& transaction, const Uuid& id);
/// `normalized` is EmailAddress::normalized.
std::optional<Account> find_account_by_email(storage::Transaction& transaction, std::string_view normalized);
std::vector<std::string> list_roles(storage::Transaction& transaction, const Uuid& account_id);

/// Which accounts to list; what is left as it is matches everything.
struct AccountFilter {
  std::string email_prefix;  // text::normalize_email_prefix
  std::string role;
  std::optional<bool> disabled;
};
struct AccountPage {
  std::vector<Account> items;
  std::optional<Uuid> next;  // pass as `after` for the following page; none: this was the last
};
/// Accounts in the order they were made.
AccountPage list_accounts(storage::Transaction& transaction, const AccountFilter& filter,
                          std::optional<Uuid> after, std::int64_t limit);

/// False when there is no such account.
[[nodiscard]] bool set_full_name(storage::Transaction& transaction, const Uuid& id,
                                 const std::optional<std::string>& full_name, Time now);
/// Each answers not_found when there is no such account, and conflict when it is the last admin's (Z3).
Result<void> set_disabled(storage::Transaction& transaction, const Uuid& id, bool disabled, Time now);
Result<void> delete_account(storage::Transaction& transaction, const Uuid& id);
/// False when the account is gone, was disabled, or has another password than the one that was verified: no
/// login may be recorded then.
[[nodiscard]] bool record_login(storage::Transaction& transaction, const Uuid& id,
                                std::string_view verified_hash, Time now);

/// The same for a login that was proved without a password.
[[nodiscard]] bool record_login(storage::Transaction& transaction, const Uuid& id, Time now);

/// Each is true when the account is there, has this address (EmailAddress::normalized), and is not disabled:
/// what was proved by mail counts for the address that it was mailed to.
[[nodiscard]] bool set_email_verified(storage::Transaction& transaction, const Uuid& id,
                                      std::string_view normalized, Time now);
/// The password of somebody who proved that they read the account's mail, which verifies the address too.
[[nodiscard]] bool reset_password_hash(storage::Transaction& transaction, const Uuid& id,
                                       std::string_view normalized, std::string_view new_hash, Time now);

/// A verified new address. Error: conflict when it is another account's, or reserved for one.
Result<void> set_email(storage::Transaction& transaction, const Uuid& id, const text::EmailAddress& email,
                       Time now);
/// No way in by password until it is reset.
void clear_password_hash(storage::Transaction& transaction, const Uuid& id, Time now);

/// Replaces the hash only while it is still `old_hash`: of two parallel changes or upgrades one wins (P9).
[[nodiscard]] bool replace_password_hash(storage::Transaction& transaction, const Uuid& id,
                                         std::string_view old_hash, std::string_view new_hash, Time now);

}  // namespace keyward::domain
