// Reading the audit trail: pages of events for people, and the walk that proves it whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/audit/audit_checkpoints.hpp"

namespace keyward::domain {

/// Where a page of events ends. Rows are in the order of (occurred_at, chain, sequence).
struct AuditPosition {
  Time occurred_at;
  std::int64_t chain = 0;
  std::int64_t sequence = 0;

  /// `microseconds.chain.sequence`, and back.
  [[nodiscard]] std::string to_string() const;
  static std::optional<AuditPosition> parse(std::string_view text);
  static AuditPosition of(const AuditRow& row) { return {row.occurred_at, row.chain, row.sequence}; }
};

/// What a caller asks for; what is absent matches everything.
struct AuditFilter {
  std::optional<Uuid> account_id;  // whom it is about, or who did it
  std::optional<std::string> event;
  std::optional<std::string> address;
  std::optional<Time> since;  // inclusive
  std::optional<Time> until;  // exclusive
};

/// At most `limit` rows before `before` (or the newest), newest first.
std::vector<AuditRow> list_audit_events(storage::Transaction& transaction, const AuditFilter& filter,
                                        const std::optional<AuditPosition>& before, std::int64_t limit);
/// At most `limit` rows behind `after`, oldest first.
std::vector<AuditRow> list_audit_events_after(storage::Transaction& transaction, const AuditPosition& after,
                                              std::int64_t limit);

struct AuditReport {
  std::int64_t rows = 0;              // that are whole
  std::int64_t checkpoints = 0;       // that are whole
  std::optional<std::string> broken;  // the first thing that is not, in words
};

/// Walks every chain from its first row to its end and holds it against the checkpoints, those in the
/// database and the `saved` ones, which somebody kept elsewhere. Tells a row that was changed, removed or put
/// elsewhere, and a tail that was cut off behind a checkpoint.
AuditReport verify_audit(storage::Transaction& transaction, const ChainKey& chain_key,
                         const CheckpointKey& checkpoint_key, const std::vector<AuditCheckpoint>& saved);

}  // namespace keyward::domain
