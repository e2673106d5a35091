#include "domain/identities/handover_codes.hpp"

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "text/base64url.hpp"

#define KEYWARD_CODE_COLUMNS \
  "account_id, session_id, provider, issuer, subject, email, code_challenge, user_agent, address"

namespace keyward::domain {

namespace {

constexpr std::string_view prefix = "kw_xc_";
constexpr std::size_t random_bytes = 32;

Bytes hash_of(std::string_view code) {
  const auto hash = crypto::sha256(as_bytes(code));
  return {hash.begin(), hash.end()};
}

}  // namespace

std::string insert_handover_code(storage::Transaction& transaction, const NewHandoverCode& wanted, Time now,
                                 Random& random) {
  auto code = std::string{prefix} + text::to_base64url(random.bytes<random_bytes>());
  transaction.execute(
      "INSERT INTO handover_codes (code_hash, purpose, account_id, session_id, provider, issuer, subject, "
      "email, code_challenge, user_agent, address, created_at, expires_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
      hash_of(code), std::string_view{wanted.session_id ? "connect" : "login"}, wanted.account_id,
      wanted.session_id, wanted.identity.provider, wanted.identity.issuer, wanted.identity.subject,
      wanted.email, wanted.code_challenge, wanted.device.user_agent, wanted.device.address, now,
      now + limits::exchange_code_lifetime);
  return code;
}

std::optional<HandoverCode> use_login_code(storage::Transaction& transaction, std::string_view code,
                                           Time now) {
  return transaction.find<HandoverCode>(
      "UPDATE handover_codes SET used_at = $2 WHERE code_hash = $1 AND purpose = 'login' AND used_at IS NULL "
      "AND expires_at > $2 RETURNING " KEYWARD_CODE_COLUMNS,
      hash_of(code), now);
}

void note_session_of_code(storage::Transaction& transaction, std::string_view code, const Uuid& session_id) {
  transaction.execute("UPDATE handover_codes SET session_id = $2 WHERE code_hash = $1", hash_of(code),
                      session_id);
}

std::optional<UsedCode> find_used_code(storage::Transaction& transaction, std::string_view code) {
  return transaction.find<UsedCode>(
      "SELECT account_id, session_id FROM handover_codes WHERE code_hash = $1 AND purpose = 'login' AND "
      "used_at IS NOT NULL AND session_id IS NOT NULL",
      hash_of(code));
}

std::optional<HandoverCode> use_connect_code(storage::Transaction& transaction, std::string_view code,
                                             const Uuid& account_id, const Uuid& session_id, Time now) {
  return transaction.find<HandoverCode>(
      "UPDATE handover_codes SET used_at = $4 WHERE code_hash = $1 AND purpose = 'connect' "
      "AND account_id = $2 AND session_id = $3 AND used_at IS NULL AND expires_at > $4 "
      "RETURNING " KEYWARD_CODE_COLUMNS,
      hash_of(code), account_id, session_id, now);
}

bool has_expired_provider_logins(storage::Transaction& transaction, Time now) {
  return transaction.find<Time>("SELECT expires_at FROM used_logins WHERE expires_at < $1 LIMIT 1",
                                now - limits::session_kept_after_expiry) ||
         transaction.find<Time>("SELECT expires_at FROM handover_codes WHERE expires_at < $1 LIMIT 1",
                                now - limits::session_kept_after_expiry);
}

void sweep_provider_logins(storage::Transaction& transaction, Time now) {
  // Kept for a while: nodes' clocks differ, and a code that is used again says something.
  const auto kept_since = now - limits::session_kept_after_expiry;
  transaction.execute(
      "DELETE FROM used_logins WHERE state_hash IN "
      "(SELECT state_hash FROM used_logins WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
      kept_since, limits::session_sweep_max);
  transaction.execute(
      "DELETE FROM handover_codes WHERE code_hash IN "
      "(SELECT code_hash FROM handover_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
      kept_since, limits::session_sweep_max);
}

}  // namespace keyward::domain
