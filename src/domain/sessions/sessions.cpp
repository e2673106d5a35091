#include "domain/sessions/sessions.hpp"

#include "base/limits.hpp"
#include "crypto/digest.hpp"

namespace keyward::domain {

protocol::refresh::Binding binding_of(const Device& device) {
  return crypto::sha256(as_bytes(device.user_agent));
}

void insert_session(storage::Transaction& transaction, const Uuid& id, const Uuid& account_id,
                    const Device& device, const SessionSettings& settings, Time now) {
  transaction.execute(
      "INSERT INTO sessions (id, account_id, generation, binding, user_agent, address, login_user_agent, "
      "login_address, created_at, last_used_at, idle_expires_at, expires_at) "
      "VALUES ($1, $2, 0, $3, $4, $5, $4, $5, $6, $6, $7, $8)",
      id, account_id, binding_of(device), device.user_agent, device.address, now,
      std::min(now + settings.idle_lifetime, now + settings.absolute_lifetime),
      now + settings.absolute_lifetime);
}

std::int64_t end_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> except, std::string_view reason, Time now) {
  transaction.execute("DELETE FROM handover_codes WHERE account_id = $1 AND used_at IS NULL", account_id);
  return transaction.execute(
      "UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE account_id = $1 AND id <> $2 AND ended_at IS "
      "NULL",
      account_id, except.value_or(Uuid{}), now, reason);
}

bool end_session(storage::Transaction& transaction, const Uuid& id, const Uuid& account_id,
                 std::string_view reason, Time now) {
  return transaction.execute(
             "UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE id = $1 AND account_id = $2 AND "
             "ended_at IS NULL",
             id, account_id, now, reason) == 1;
}

bool has_login_from(storage::Transaction& transaction, const Uuid& account_id, const Device& device) {
  return transaction
      .find<Uuid>(
          "SELECT id FROM sessions WHERE account_id = $1 AND login_address = $2 AND login_user_agent = $3 "
          "AND "
          "(ended_at IS NULL OR end_reason = 'logout') LIMIT 1",
          account_id, device.address, device.user_agent)
      .has_value();
}

std::int64_t end_unverified_sessions(storage::Transaction& transaction, Time now) {
  return transaction.execute(
      "UPDATE sessions SET ended_at = $1, end_reason = 'email_unverified' WHERE ended_at IS NULL "
      "AND expires_at > $1 AND account_id IN (SELECT id FROM accounts WHERE NOT email_verified)",
      now);
}

bool is_session_begun_since(storage::Transaction& transaction, const Uuid& id, Time since) {
  return transaction.find<Uuid>("SELECT id FROM sessions WHERE id = $1 AND created_at >= $2", id, since)
      .has_value();
}

std::optional<Uuid> find_session_owner(storage::Transaction& transaction, const Uuid& id) {
  return transaction.find<Uuid>("SELECT account_id FROM sessions WHERE id = $1", id);
}

SessionPage list_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> after, std::int64_t limit, Time now) {
  // One row more than asked for tells whether there is a next page. No UUIDv7 sorts after the all-ones one.
  constexpr auto last = [] {
    Uuid id;
    id.bytes.fill(0xff);
    return id;
  }();
  SessionPage page{
      transaction.list<Session>(
          "SELECT id, user_agent, address, created_at, last_used_at, idle_expires_at, expires_at "
          "FROM sessions WHERE account_id = $1 AND id < $2 AND ended_at IS NULL AND expires_at > $3 AND "
          "idle_expires_at > $3 ORDER BY id DESC LIMIT $4",
          account_id, after.value_or(last), now, limit + 1),
      std::nullopt};
  if (page.items.size() > static_cast<std::size_t>(limit)) {
    page.items.pop_back();
    page.next = page.items.back().id;
  }
  return page;
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

bool has_stale_sessions(storage::Transaction& transaction, Time now) {
  return transaction
      .find<Uuid>("SELECT id FROM sessions WHERE expires_at < $1 LIMIT 1",
                  now - limits::session_kept_after_expiry)
      .has_value();
}

std::int64_t sweep_sessions(storage::Transaction& transaction, Time now) {
  return transaction.execute(
      "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at "
      "LIMIT $2)",
      now - limits::session_kept_after_expiry, limits::session_sweep_max);
}

}  // namespace keyward::domain
