// KeyRing: the signing keys in memory, kept in step with the table by every process on it.
//
// Private keys are stored sealed (crypto/aead.hpp) under a sub-key of the master key, with the key's id as
// associated data: a row that is moved, changed, or opened with another master key does not open.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"
#include "crypto/master_key.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/keys/signing_keys.hpp"
#include "domain/leases/leases.hpp"
#include "domain/revisions/revisions.hpp"
#include "protocol/jose/key_set.hpp"
#include "storage/database.hpp"

namespace keyward::domain {

struct KeySettings {
  crypto::Algorithm algorithm = crypto::Algorithm::es256;
  std::chrono::seconds max_age{90 * 24 * 3600};  // of the key that signs
};

/// The keys as they were at one revision. Never changes, so it is read without a lock.
struct KeySnapshot {
  std::uint64_t revision = 0;
  Time loaded_at;  // by the steady clock
  std::vector<SigningKeyRow> rows;
  std::vector<protocol::jose::SigningKey> keys;  // beside `rows`
  protocol::jose::KeySet verification_keys;
  std::string key_set_json;  // what /.well-known/jwks.json answers
  std::string key_set_etag;

  /// The key that signs at `now`; with a clock behind every activation, the first that will.
  [[nodiscard]] const protocol::jose::SigningKey& signer(Time now) const;
  /// How long it has signed.
  [[nodiscard]] microseconds signer_age(Time now) const;
};

using KeySnapshotPointer = std::shared_ptr<const KeySnapshot>;

enum class Rotation : std::uint8_t {
  planned,      // the next key is published now and signs after the published set's max-age has passed twice
  now,          // signs at once: verifiers with a cached set miss it until they fetch again
  compromised,  // signs at once, and every other key goes with all its tokens
};

class KeyRing {
 public:
  struct Dependencies {
    storage::Database& database;
    const crypto::MasterKey& master_key;
    Revisions& revisions;
    EventLog& events;
    const Clock& clock;
    Random& random;
  };
  KeyRing(Dependencies dependencies, KeySettings settings);

  /// Loads the keys; makes the first one when there is none. Error: the master key does not open them.
  Result<void> blocking_open();
  /// Makes a key. Error conflict: for Rotation::planned, when the next key waits already; it is left alone.
  Result<std::string> blocking_rotate(Rotation rotation);

  /// The keys as they are now: read anew when another process says that it changed them, and every
  /// limits::key_snapshot_max_age in any case, for a process that died before it could say so.
  Task<KeySnapshotPointer> current();
  /// The same as they were when somebody last looked, for metrics.
  [[nodiscard]] KeySnapshotPointer latest() const { return snapshot(); }
  /// The same for whoever has changed something already and must answer now: `known` when the database does
  /// not.
  Task<KeySnapshotPointer> current_or(KeySnapshotPointer known);
  /// What time does to keys: starts a rotation when the signer is too old or of another algorithm than
  /// configured, and drops keys whose last token has expired. To be called every minute or so.
  Task<void> maintain(Leases* leases);

 private:
  [[nodiscard]] SigningKeyRow make_key(std::chrono::seconds lead) const;
  Result<KeySnapshotPointer> load(storage::Transaction& transaction) const;
  Task<KeySnapshotPointer> read();
  /// Reads and publishes.
  Task<KeySnapshotPointer> renew(KeySnapshotPointer known);
  [[nodiscard]] KeySnapshotPointer snapshot() const;
  void publish(KeySnapshotPointer snapshot);
  [[nodiscard]] bool is_rotation_due(const KeySnapshot& keys, Time now) const;

  Dependencies use_;
  KeySettings settings_;
  Secret sealing_key_;
  std::atomic<bool> reading_ahead_ = false;
  mutable Mutex mutex_;
  KeySnapshotPointer snapshot_ KEYWARD_GUARDED_BY(mutex_);
};

}  // namespace keyward::domain
