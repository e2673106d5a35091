#include "domain/accounts/accounts.hpp"

#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "domain/roles/keeps_an_admin.hpp"
#include "domain/roles/roles.hpp"
#include "storage/errors.hpp"

// One list for every statement that reads whole accounts; the names are the members' of Account.
#define KEYWARD_ACCOUNT_COLUMNS                                                                \
  "id, email, email_verified, full_name, password_hash, disabled, created_at, last_login_at, " \
  "password_changed_at"

namespace keyward::domain {

bool insert_account(storage::Transaction& transaction, const NewAccount& account) {
  if (is_email_reserved(transaction, account.email.normalized, account.id, account.created_at)) return false;
  const auto inserted = transaction.execute(
      "INSERT INTO accounts (id, email, email_normalized, full_name, password_hash, email_verified, "
      "created_at, updated_at, password_changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7) "
      "ON CONFLICT (email_normalized) DO NOTHING",
      account.id, account.email.as_typed, account.email.normalized, account.full_name, account.password_hash,
      account.email_verified, account.created_at);
  if (inserted == 0) return false;
  for (const auto& role : account.roles) {
    transaction.execute("INSERT INTO account_roles (account_id, role, granted_at) VALUES ($1, $2, $3)",
                        account.id, role, account.created_at);
  }
  return true;
}

std::optional<Account> find_account(storage::Transaction& transaction, const Uuid& id) {
  return transaction.find<Account>("SELECT " KEYWARD_ACCOUNT_COLUMNS " FROM accounts WHERE id = $1", id);
}

std::optional<Account> find_account_by_email(storage::Transaction& transaction, std::string_view normalized) {
  return transaction.find<Account>(
      "SELECT " KEYWARD_ACCOUNT_COLUMNS " FROM accounts WHERE email_normalized = $1", normalized);
}

std::vector<std::string> list_roles(storage::Transaction& transaction, const Uuid& account_id) {
  return transaction.list<std::string>("SELECT role FROM account_roles WHERE account_id = $1 ORDER BY role",
                                       account_id);
}

AccountPage list_accounts(storage::Transaction& transaction, const AccountFilter& filter,
                          std::optional<Uuid> after, std::int64_t limit) {
  // One row more than asked for tells whether there is a next page. The nil UUID sorts before every UUIDv7.
  // substr and not LIKE: a prefix has no wildcards then, and the engines agree on upper and lower case.
  AccountPage page{
      transaction.list<Account>("SELECT " KEYWARD_ACCOUNT_COLUMNS " FROM accounts WHERE id > $1 "
                                "AND ($2 = '' OR substr(email_normalized, 1, length($2)) = $2) "
                                "AND ($3 = '' OR EXISTS (SELECT 1 FROM account_roles r "
                                "WHERE r.account_id = accounts.id AND r.role = $3)) "
                                "AND ((disabled AND $4) OR (NOT disabled AND $5)) ORDER BY id LIMIT $6",
                                after.value_or(Uuid{}), filter.email_prefix, filter.role,
                                filter.disabled.value_or(true), !filter.disabled.value_or(false), limit + 1),
      std::nullopt};
  if (page.items.size() > static_cast<std::size_t>(limit)) {
    page.items.pop_back();
    page.next = page.items.back().id;
  }
  return page;
}

bool set_full_name(storage::Transaction& transaction, const Uuid& id,
                   const std::optional<std::string>& full_name, Time now) {
  return transaction.execute("UPDATE accounts SET full_name = $2, updated_at = $3 WHERE id = $1", id,
                             full_name, now) == 1;
}

namespace {

/// Why a statement with KEYWARD_KEEPS_AN_ADMIN changed nothing.
Result<void> explain(storage::Transaction& transaction, const Uuid& id, std::int64_t changed) {
  if (changed == 1) return {};
  if (!find_account(transaction, id)) return fail(ErrorCode::not_found, "There is no such user");
  return refuse_to_lose_last_admin();
}

}  // namespace

Result<void> set_disabled(storage::Transaction& transaction, const Uuid& id, bool disabled, Time now) {
  const auto changed = transaction.execute(
      "UPDATE accounts SET disabled = $2, updated_at = $3 WHERE id = $1 AND (NOT $2 "
      "OR " KEYWARD_KEEPS_AN_ADMIN ")",
      id, disabled, now);
  return explain(transaction, id, changed);
}

Result<void> delete_account(storage::Transaction& transaction, const Uuid& id) {
  const auto deleted =
      transaction.execute("DELETE FROM accounts WHERE id = $1 AND " KEYWARD_KEEPS_AN_ADMIN, id);
  if (deleted == 1) forget_mails_of_account(transaction, id);
  return explain(transaction, id, deleted);
}

bool record_login(storage::Transaction& transaction, const Uuid& id, std::string_view verified_hash,
                  Time now) {
  return transaction.execute(
             "UPDATE accounts SET last_login_at = $3 WHERE id = $1 AND password_hash = $2 AND NOT disabled",
             id, verified_hash, now) == 1;
}

bool record_login(storage::Transaction& transaction, const Uuid& id, Time now) {
  return transaction.execute("UPDATE accounts SET last_login_at = $2 WHERE id = $1 AND NOT disabled", id,
                             now) == 1;
}

bool set_email_verified(storage::Transaction& transaction, const Uuid& id, std::string_view normalized,
                        Time now) {
  return transaction.execute(
             "UPDATE accounts SET email_verified = TRUE, updated_at = $3 WHERE id = $1 AND email_normalized "
             "= $2 AND NOT disabled",
             id, normalized, now) == 1;
}

bool reset_password_hash(storage::Transaction& transaction, const Uuid& id, std::string_view normalized,
                         std::string_view new_hash, Time now) {
  return transaction.execute(
             "UPDATE accounts SET password_hash = $3, password_changed_at = $4, updated_at = $4, "
             "email_verified = TRUE WHERE id = $1 AND email_normalized = $2 AND NOT disabled",
             id, normalized, new_hash, now) == 1;
}

Result<void> set_email(storage::Transaction& transaction, const Uuid& id, const text::EmailAddress& email,
                       Time now) {
  const auto taken = [] { return fail(ErrorCode::conflict, "The address belongs to another account"); };
  if (is_email_reserved(transaction, email.normalized, id, now)) return taken();
  try {
    const auto changed = transaction.execute(
        "UPDATE accounts SET email = $2, email_normalized = $3, email_verified = TRUE, updated_at = $4 "
        "WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM accounts o WHERE o.email_normalized = $3 AND o.id <> "
        "$1)",
        id, email.as_typed, email.normalized, now);
    if (changed != 1) return taken();
  } catch (const storage::ConstraintViolation&) {  // another transaction was faster
    return taken();
  }
  return {};
}

void clear_password_hash(storage::Transaction& transaction, const Uuid& id, Time now) {
  transaction.execute("UPDATE accounts SET password_hash = NULL, updated_at = $2 WHERE id = $1", id, now);
}

bool replace_password_hash(storage::Transaction& transaction, const Uuid& id, std::string_view old_hash,
                           std::string_view new_hash, Time now) {
  return transaction.execute(
             "UPDATE accounts SET password_hash = $3, password_changed_at = $4, updated_at = $4 "
             "WHERE id = $1 AND password_hash = $2",
             id, old_hash, new_hash, now) == 1;
}

}  // namespace keyward::domain
