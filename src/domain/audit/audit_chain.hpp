// The audit trail as it is stored: rows in hash chains, and what makes a chain.
//
// A row's hash is HMAC-SHA-256, under a sub-key of the master key, over the hash before it and every column
// of the row, so whoever can only write the database cannot make a row that fits (L3). There are several
// chains, so that the connections of PostgreSQL do not wait for one another; SQLite's one writer has one.
#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "crypto/digest.hpp"
#include "crypto/master_key.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

/// A row of `audit_events`.
struct AuditRow {
  std::int64_t chain = 0;
  std::int64_t sequence = 0;
  Time occurred_at;
  std::string event;
  std::optional<Uuid> account_id;
  std::optional<Uuid> actor_id;
  std::optional<Uuid> session_id;
  std::string reason;
  std::string detail;
  std::string email;
  std::string address;
  std::string user_agent;
  std::string request_id;
  crypto::Sha256 hash{};
};
BOOST_DESCRIBE_STRUCT(AuditRow, (),
                      (chain, sequence, occurred_at, event, account_id, actor_id, session_id, reason, detail,
                       email, address, user_agent, request_id, hash))

/// One list for every statement that reads whole rows; the names are the members' of AuditRow.
#define KEYWARD_AUDIT_COLUMNS                                                                               \
  "chain, sequence, occurred_at, event, account_id, actor_id, session_id, reason, detail, email, address, " \
  "user_agent, request_id, hash"

/// The end of a chain: a row of `audit_chains`.
struct ChainHead {
  std::int64_t id = 0;
  std::int64_t sequence = 0;
  crypto::Sha256 hash{};
  bool operator==(const ChainHead&) const = default;
};
BOOST_DESCRIBE_STRUCT(ChainHead, (), (id, sequence, hash))

class ChainKey {
 public:
  explicit ChainKey(const crypto::MasterKey& master_key) : key_(master_key.derive("audit chain 1")) {}

  /// The hash that `row` must bear behind a row whose hash is `before` (zeros before the first).
  [[nodiscard]] crypto::Sha256 hash(const crypto::Sha256& before, const AuditRow& row) const;

 private:
  Secret key_;
};

/// Gives `rows` their places at the end of the chain and stores them; the chain stays locked until the
/// transaction ends.
void append_to_chain(storage::Transaction& transaction, std::int64_t chain, std::span<AuditRow> rows,
                     const ChainKey& key);

/// Every chain's end, in the order of their ids.
std::vector<ChainHead> list_chain_heads(storage::Transaction& transaction);

}  // namespace keyward::domain
