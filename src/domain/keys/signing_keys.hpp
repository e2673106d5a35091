// Signing keys as rows: when each is published, signs, and goes; and the SQL that knows them.
//
// A key's life follows from when it and its successor become active: created (published in the key set) ->
// activates_at (signs from here on) -> its successor activates (this one still verifies) -> its last token
// has expired (it leaves the key set). So whoever caches the key set for its max-age always has the key that
// signs (J4). A key that may have been stolen is removed outright. Rotation is one conditional statement: two
// processes that rotate at once make one key.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

/// A row of `signing_keys`. The private key is sealed under the master key with the id as associated data.
struct SigningKeyRow {
  std::string id;         // the `kid`: RFC 7638 thumbprint
  std::string algorithm;  // RFC 7518 name
  std::string public_jwk;
  Bytes private_key_sealed;
  Time created_at;
  Time activates_at;
  std::optional<Time> removed_at;  // set when a key is thrown out before its time
};
BOOST_DESCRIBE_STRUCT(SigningKeyRow, (),
                      (id, algorithm, public_jwk, private_key_sealed, created_at, activates_at, removed_at))

enum class KeyStatus : std::uint8_t { next, active, retired, removed };
std::string_view to_string(KeyStatus status);

/// How long a key verifies after its successor began to sign: no token lives longer.
inline constexpr std::chrono::seconds key_retention =
    limits::access_token_lifetime_max + limits::token_clock_skew;

/// What `key` is at `now`, beside the other keys. Exactly one is active as soon as one has been activated.
KeyStatus status_of(const SigningKeyRow& key, const std::vector<SigningKeyRow>& all, Time now);

/// Every key in the table, in the order of activation.
std::vector<SigningKeyRow> list_signing_keys(storage::Transaction& transaction);

/// Each publishes `key`, and returns false with nothing changed when another process was first.
/// As the first one: only if no key is active.
[[nodiscard]] bool insert_first_key(storage::Transaction& transaction, const SigningKeyRow& key);
/// As the successor of the one that signs: only if no key waits for its activation already.
[[nodiscard]] bool insert_next_key(storage::Transaction& transaction, const SigningKeyRow& key);

/// Activates `key` at once, whatever else waits; with `remove_others` every other key is thrown out with all
/// its tokens.
void insert_key_now(storage::Transaction& transaction, const SigningKeyRow& key, bool remove_others);

/// Deletes the rows, private keys included, of those that are removed at `now`, and returns their ids.
std::vector<std::string> delete_removed_keys(storage::Transaction& transaction, Time now);

}  // namespace keyward::domain
