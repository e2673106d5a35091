// Checkpoints of the audit trail: the ends of all chains at a time, signed with Ed25519.
//
// What a checkpoint has seen cannot be cut off, also not by whoever holds the database and has the last rows
// to themselves. The same text goes out as a line of the log, so a copy of it lies elsewhere. The key comes
// from the master key, never from the database; its public half is told by `keyward audit verify --json`.
#pragma once

#include <boost/describe/class.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "crypto/master_key.hpp"
#include "crypto/signing_key.hpp"
#include "domain/audit/audit_chain.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

/// A row of `audit_checkpoints`.
struct AuditCheckpoint {
  Uuid id;
  Time made_at;
  std::string heads;  // [{"chain":…,"sequence":…,"hash":"…"}, …], as signed
  Bytes signature;
};
BOOST_DESCRIBE_STRUCT(AuditCheckpoint, (), (id, made_at, heads, signature))

class CheckpointKey {
 public:
  explicit CheckpointKey(const crypto::MasterKey& master_key);

  [[nodiscard]] AuditCheckpoint sign(Uuid id, Time made_at, const std::vector<ChainHead>& heads) const;
  [[nodiscard]] bool verify(const AuditCheckpoint& checkpoint) const;
  /// base64url of the 32 bytes.
  [[nodiscard]] std::string public_key() const;

 private:
  crypto::PrivateKey key_;
};

/// As the log has it, and back (invalid_input).
std::string to_json_line(const AuditCheckpoint& checkpoint);
Result<AuditCheckpoint> parse_checkpoint_line(std::string_view line);

/// The chain ends that the text tells of; nothing when it is none.
std::optional<std::vector<ChainHead>> parse_heads(std::string_view heads);

/// Stores a checkpoint of what the transaction sees and returns it; nothing when the last one says the same.
std::optional<AuditCheckpoint> make_checkpoint(storage::Transaction& transaction, const CheckpointKey& key,
                                               Time now, Random& random);
/// Whether make_checkpoint would make one: for a reader, so that an idle server writes nothing.
bool is_checkpoint_due(storage::Transaction& transaction);

std::optional<AuditCheckpoint> find_last_checkpoint(storage::Transaction& transaction);

}  // namespace keyward::domain
