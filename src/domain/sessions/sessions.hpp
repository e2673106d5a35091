// Sessions: one row for each login that lasts. Who may go on with one is decided in protocol/refresh; what
// its client holds is made in refresh_tokens.
//
// Ids are UUIDv7 of our own making: one that a client brings along is never adopted (S1). An end is for ever,
// and is made once (`ended_at IS NULL` stands in each statement that makes one).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "protocol/refresh/refresh.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct SessionSettings {
  std::chrono::seconds idle_lifetime{7 * 24 * 3600};
  std::chrono::seconds absolute_lifetime{30 * 24 * 3600};
  std::chrono::seconds refresh_grace{10};  // how long the generation just replaced is answered again
};

/// What a session is told of the device it is used from.
struct Device {
  std::string user_agent;
  std::string address;
};

/// What its client is known by: the User-Agent. The address is no part of it, since phones move; a client id
/// and a DPoP key join it when there are such.
protocol::refresh::Binding binding_of(const Device& device);

/// Writes the row of a new session of generation 0.
void insert_session(storage::Transaction& transaction, const Uuid& id, const Uuid& account_id,
                    const Device& device, const SessionSettings& settings, Time now);

/// Ends every live session of the account but `except`, and what would still become one (handover codes);
/// returns how many ended.
std::int64_t end_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> except, std::string_view reason, Time now);

/// Ends one session of the account. False: it is none of theirs, or has ended before.
[[nodiscard]] bool end_session(storage::Transaction& transaction, const Uuid& id, const Uuid& account_id,
                               std::string_view reason, Time now);

/// Whether somebody lately logged in to the account from this address with this User-Agent, and was not
/// thrown out since.
bool has_login_from(storage::Transaction& transaction, const Uuid& account_id, const Device& device);
/// With verification required from now on: sessions of accounts that would not get one. Returns how many.
std::int64_t end_unverified_sessions(storage::Transaction& transaction, Time now);

[[nodiscard]] bool is_session_begun_since(storage::Transaction& transaction, const Uuid& id, Time since);

/// Whose session it is, ended or not; nothing when there is no such session.
std::optional<Uuid> find_session_owner(storage::Transaction& transaction, const Uuid& id);

/// A live session, as its owner sees it in a list.
struct Session {
  Uuid id;
  std::string user_agent;
  std::string address;
  Time created_at;
  Time last_used_at;
  Time idle_expires_at;
  Time expires_at;
};
BOOST_DESCRIBE_STRUCT(Session, (),
                      (id, user_agent, address, created_at, last_used_at, idle_expires_at, expires_at))

struct SessionPage {
  std::vector<Session> items;
  std::optional<Uuid> next;  // pass as `after` for the following page; none: this was the last
};
/// The account's live sessions, the newest first.
SessionPage list_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> after, std::int64_t limit, Time now);

/// Who a live session speaks for, with what `GET /me` tells about them.
struct LiveAccount {
  Uuid id;
  std::string email;
  bool email_verified = false;
  std::optional<std::string> full_name;
  Time created_at;
  std::optional<Time> last_login_at;
};
BOOST_DESCRIBE_STRUCT(LiveAccount, (), (id, email, email_verified, full_name, created_at, last_login_at))

/// The account behind a session that has neither ended nor expired, if the account is theirs and not
/// disabled.
std::optional<LiveAccount> find_live_account(storage::Transaction& transaction, const Uuid& session_id,
                                             const Uuid& account_id, Time now);

/// Rows are kept for limits::session_kept_after_expiry, so that a late replay is told for what it is. Whether
/// there is any to remove: a read, so that an idle server writes nothing.
bool has_stale_sessions(storage::Transaction& transaction, Time now);
/// Removes at most limits::session_sweep_max of them; returns how many.
std::int64_t sweep_sessions(storage::Transaction& transaction, Time now);

}  // namespace keyward::domain
