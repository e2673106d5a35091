#include "domain/keys/signing_keys.hpp"

namespace keyward::domain {

namespace {

/// When the next key after `key` began or will begin to sign; nothing when it has no successor.
std::optional<Time> find_successor_activation(const SigningKeyRow& key,
                                              const std::vector<SigningKeyRow>& all) {
  std::optional<Time> earliest;
  for (const auto& other : all) {
    const bool later = other.activates_at > key.activates_at ||
                       (other.activates_at == key.activates_at && other.created_at > key.created_at);
    if (other.removed_at || !later) continue;
    if (!earliest || other.activates_at < *earliest) earliest = other.activates_at;
  }
  return earliest;
}

}  // namespace

std::string_view to_string(KeyStatus status) {
  switch (status) {
    case KeyStatus::next:
      return "next";
    case KeyStatus::active:
      return "active";
    case KeyStatus::retired:
      return "retired";
    case KeyStatus::removed:
      return "removed";
  }
  return "";
}

KeyStatus status_of(const SigningKeyRow& key, const std::vector<SigningKeyRow>& all, Time now) {
  if (key.removed_at) return KeyStatus::removed;
  if (key.activates_at > now) return KeyStatus::next;
  const auto successor = find_successor_activation(key, all);
  if (!successor || *successor > now) return KeyStatus::active;
  return now < *successor + key_retention ? KeyStatus::retired : KeyStatus::removed;
}

std::vector<SigningKeyRow> list_signing_keys(storage::Transaction& transaction) {
  return transaction.list<SigningKeyRow>(
      "SELECT id, algorithm, public_jwk, private_key_sealed, created_at, activates_at, removed_at "
      "FROM signing_keys ORDER BY activates_at, created_at");
}

bool insert_first_key(storage::Transaction& transaction, const SigningKeyRow& key) {
  return transaction.execute(
             "INSERT INTO signing_keys (id, algorithm, public_jwk, private_key_sealed, created_at, "
             "activates_at) "
             "SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS "
             "(SELECT 1 FROM signing_keys WHERE activates_at <= $5 AND removed_at IS NULL)",
             key.id, key.algorithm, key.public_jwk, key.private_key_sealed, key.created_at,
             key.activates_at) == 1;
}

bool insert_next_key(storage::Transaction& transaction, const SigningKeyRow& key) {
  return transaction.execute(
             "INSERT INTO signing_keys (id, algorithm, public_jwk, private_key_sealed, created_at, "
             "activates_at) "
             "SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS "
             "(SELECT 1 FROM signing_keys WHERE activates_at > $5 AND removed_at IS NULL)",
             key.id, key.algorithm, key.public_jwk, key.private_key_sealed, key.created_at,
             key.activates_at) == 1;
}

void insert_key_now(storage::Transaction& transaction, const SigningKeyRow& key, bool remove_others) {
  transaction.execute(
      "INSERT INTO signing_keys (id, algorithm, public_jwk, private_key_sealed, created_at, activates_at) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      key.id, key.algorithm, key.public_jwk, key.private_key_sealed, key.created_at, key.activates_at);
  if (!remove_others) return;
  transaction.execute("UPDATE signing_keys SET removed_at = $2 WHERE id <> $1 AND removed_at IS NULL", key.id,
                      key.created_at);
}

std::vector<std::string> delete_removed_keys(storage::Transaction& transaction, Time now) {
  std::vector<std::string> removed;
  const auto keys = list_signing_keys(transaction);
  for (const auto& key : keys) {
    if (status_of(key, keys, now) != KeyStatus::removed) continue;
    transaction.execute("DELETE FROM signing_keys WHERE id = $1", key.id);
    removed.push_back(key.id);
  }
  return removed;
}

}  // namespace keyward::domain
