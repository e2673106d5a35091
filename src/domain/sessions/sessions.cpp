#include "domain/sessions/sessions.hpp"

#include "crypto/digest.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {

RefreshToken make_refresh_token(const Uuid& session_id, std::int64_t generation, Random& random) {
  constexpr std::size_t random_bytes = 32;
  auto raw = Secret::of_size(session_id.bytes.size() + sizeof generation + random_bytes);
  auto out = raw.mutable_bytes();
  std::ranges::copy(session_id.bytes, out.begin());
  for (std::size_t i = 0; i < sizeof generation; ++i) {
    out[session_id.bytes.size() + i] =
        static_cast<std::uint8_t>(static_cast<std::uint64_t>(generation) >> (56U - 8U * i));
  }
  random.fill(out.last(random_bytes));
  std::string text = "kw_rt_";
  text += text::to_base64url(raw.bytes());
  auto hash = crypto::sha256(as_bytes(text));
  return {session_id, generation, Secret::take(text), Bytes(hash.begin(), hash.end())};
}

void insert_session(storage::Transaction& transaction, const RefreshToken& token, const Uuid& account_id,
                    const Device& device, const SessionSettings& settings, Time now) {
  transaction.execute(
      "INSERT INTO sessions (id, account_id, generation, user_agent, address, created_at, "
      "last_used_at, idle_expires_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
      token.session_id, account_id, token.generation, device.user_agent, device.address, now,
      now + settings.idle_lifetime, now + settings.absolute_lifetime);
}

std::int64_t end_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> except, std::string_view reason, Time now) {
  return transaction.execute(
      "UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE account_id = $1 AND id <> $2 AND ended_at IS "
      "NULL",
      account_id, except.value_or(Uuid{}), now, reason);
}

std::optional<LiveAccount> find_live_account(storage::Transaction& transaction, const Uuid& session_id,
                                             const Uuid& account_id, Time now) {
  return transaction.find<LiveAccount>(
      "SELECT a.id AS id, a.email AS email, a.email_verified AS email_verified, a.full_name AS full_name, "
      "a.created_at AS created_at, a.last_login_at AS last_login_at "
      "FROM sessions s JOIN accounts a ON a.id = s.account_id "
      "WHERE s.id = $1 AND s.account_id = $2 AND s.ended_at IS NULL AND s.expires_at > $3 AND "
      "s.idle_expires_at > $3 AND NOT a.disabled",
      session_id, account_id, now);
}

}  // namespace keyward::domain
