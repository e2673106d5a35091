#include "domain/identities/identities.hpp"

#include <algorithm>

#include "domain/accounts/accounts.hpp"
#include "text/email.hpp"

namespace keyward::domain {

std::optional<Uuid> find_identity_owner(storage::Transaction& transaction, const IdentityKey& key) {
  return transaction.find<Uuid>(
      "SELECT account_id FROM identities WHERE provider = $1 AND issuer = $2 AND subject = $3", key.provider,
      key.issuer, key.subject);
}

std::vector<Identity> list_identities(storage::Transaction& transaction, const Uuid& account_id) {
  return transaction.list<Identity>(
      "SELECT provider, email, connected_at, last_login_at FROM identities WHERE account_id = $1 "
      "ORDER BY provider",
      account_id);
}

bool has_identity_of(storage::Transaction& transaction, const Uuid& account_id, std::string_view provider,
                     std::string_view issuer) {
  return transaction
      .find<Time>(
          "SELECT connected_at FROM identities WHERE account_id = $1 AND provider = $2 AND issuer = $3",
          account_id, provider, issuer)
      .has_value();
}

bool insert_identity(storage::Transaction& transaction, const IdentityKey& key, const Uuid& account_id,
                     std::string_view email, Time now) {
  return transaction.execute(
             "INSERT INTO identities (provider, issuer, subject, account_id, email, connected_at) "
             "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
             key.provider, key.issuer, key.subject, account_id, email, now) == 1;
}

void note_identity_login(storage::Transaction& transaction, const IdentityKey& key, std::string_view email,
                         Time now) {
  transaction.execute(
      "UPDATE identities SET last_login_at = $4, email = $5 "
      "WHERE provider = $1 AND issuer = $2 AND subject = $3",
      key.provider, key.issuer, key.subject, now, email);
}

Result<void> remove_identity(storage::Transaction& transaction, const Uuid& account_id,
                             std::string_view provider) {
  const auto removed = transaction.execute(
      "DELETE FROM identities WHERE account_id = $1 AND provider = $2 AND "
      "(EXISTS (SELECT 1 FROM accounts a WHERE a.id = $1 AND a.password_hash IS NOT NULL) OR "
      "EXISTS (SELECT 1 FROM identities o WHERE o.account_id = $1 AND o.provider <> $2))",
      account_id, provider);
  if (removed != 0) {
    transaction.execute(
        "DELETE FROM handover_codes WHERE account_id = $1 AND provider = $2 AND used_at IS NULL", account_id,
        provider);
    return {};
  }
  const auto identities = list_identities(transaction, account_id);
  if (std::ranges::find(identities, provider, &Identity::provider) == identities.end())
    return fail(ErrorCode::not_found, "There is no such identity");
  return fail(
      ErrorCode::conflict,
      "This is the only way into the account. Set a password first: a mail of POST /forgot-password does it");
}

std::int64_t remove_added_identities(storage::Transaction& transaction, const Uuid& account_id) {
  const auto account = find_account(transaction, account_id);
  if (!account) return 0;
  const auto own = text::parse_email(account->email);
  std::int64_t removed = 0;
  for (const auto& identity : list_identities(transaction, account_id)) {
    const auto told = text::parse_email(identity.email);
    const bool is_first = identity.connected_at == account->created_at;
    if (is_first && own && told && own->normalized == told->normalized) continue;
    removed += transaction.execute(
        "DELETE FROM identities WHERE account_id = $1 AND provider = $2 AND connected_at = $3", account_id,
        identity.provider, identity.connected_at);
  }
  return removed;
}

}  // namespace keyward::domain
