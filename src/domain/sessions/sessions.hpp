// Sessions: one row for each login that lasts, and the refresh token that names it.
//
// A refresh token is `kw_rt_` + base64url(session id, generation, 256 random bits); only its SHA-256 is
// stored. Threats: a stolen database holds no usable token (R1); a guessed token needs 256 bits.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct SessionSettings {
  std::chrono::seconds idle_lifetime{7 * 24 * 3600};
  std::chrono::seconds absolute_lifetime{30 * 24 * 3600};
};

/// What a new session is told of the device it was started from.
struct Device {
  std::string user_agent;
  std::string address;
};

struct RefreshToken {
  Uuid session_id;
  std::int64_t generation = 0;
  Secret text;  // what the client gets, once
  Bytes hash;   // what is stored
};

RefreshToken make_refresh_token(const Uuid& session_id, std::int64_t generation, Random& random);

/// Writes the row of a new session whose first refresh token is `token`.
void insert_session(storage::Transaction& transaction, const RefreshToken& token, const Uuid& account_id,
                    const Device& device, const SessionSettings& settings, Time now);

/// Ends every live session of the account but `except`; returns how many ended.
std::int64_t end_sessions(storage::Transaction& transaction, const Uuid& account_id,
                          std::optional<Uuid> except, std::string_view reason, Time now);

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

}  // namespace keyward::domain
