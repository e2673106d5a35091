#include "domain/setup/setup_token.hpp"

#include <string>

#include "crypto/digest.hpp"
#include "domain/roles/roles.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {

Secret make_setup_token(Random& random) {
  auto raw = Secret::of_size(32);
  random.fill(raw.mutable_bytes());
  std::string text = "kw_setup_";
  text += text::to_base64url(raw.bytes());
  return Secret::take(text);
}

Bytes hash_setup_token(BytesView token) {
  const auto hash = crypto::sha256(token);
  return {hash.begin(), hash.end()};
}

bool is_setup_token_live(storage::Transaction& transaction, const Bytes& hash) {
  return transaction
      .find<Time>(
          "SELECT created_at FROM setup_tokens WHERE token_hash = $1 AND used_at IS NULL "
          "AND NOT EXISTS (SELECT 1 FROM account_roles WHERE role = 'admin')",
          hash)
      .has_value();
}

bool consume_setup_token(storage::Transaction& transaction, const Bytes& hash, Time now) {
  return transaction
      .find<Time>(
          "UPDATE setup_tokens SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL "
          "AND NOT EXISTS (SELECT 1 FROM account_roles WHERE role = 'admin') RETURNING created_at",
          hash, now)
      .has_value();
}

SetupNeed find_setup_need(storage::Transaction& transaction) {
  if (has_any_admin(transaction)) return SetupNeed::none;
  const auto counts = [&](storage::Sql sql) { return transaction.get<std::int64_t>(sql) != 0; };
  if (counts("SELECT count(*) FROM setup_tokens WHERE used_at IS NULL")) return SetupNeed::token;
  return counts("SELECT count(*) FROM (SELECT id FROM accounts LIMIT 1) someone") ? SetupNeed::none
                                                                                  : SetupNeed::token;
}

void replace_setup_token(storage::Transaction& transaction, const Bytes& hash, Time now) {
  transaction.execute("DELETE FROM setup_tokens WHERE used_at IS NULL");
  transaction.execute("INSERT INTO setup_tokens (token_hash, created_at) VALUES ($1, $2)", hash, now);
}

}  // namespace keyward::domain
