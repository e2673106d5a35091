// EventLog: where every security event goes: a JSON line on standard output and a row of the audit trail.
//
// An event that tells of a change is record()ed in the change's own transaction: its row is durable when the
// change is, and its line is printed after the commit. An event that tells of a refusal is emit()ted: a line
// at once and a row soon after, in groups. Threats: a reader of the log that stalls (lines have a thread of
// their own, event_lines.hpp, which rows never wait for) · a flood of refusals that fills
// the disk or crowds out what matters (their rows have a budget, and those that tell of no account and no
// address of mail have a smaller one of their own, so that garbage hides no guessing; what is above it is
// counted in one row, `audit_refusals_omitted`; rows of changes are never omitted).
#pragma once

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/mutex.hpp"
#include "domain/audit/audit_trail.hpp"
#include "domain/audit/event_lines.hpp"
#include "domain/audit/security_event.hpp"
#include "storage/database.hpp"

namespace keyward::domain {

class EventLog {
 public:
  static constexpr int no_output = EventLines::no_output;

  /// Lines go to the file descriptor `output`, which stays the caller's. `trail` may be null: lines only.
  EventLog(int output, const AuditTrail* trail, storage::Database* database, const Clock& clock);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  /// Writes out the lines that wait, if somebody reads them. It goes after the database, whose hooks print;
  /// see finish_rows().
  ~EventLog();

  /// In a write closure: a row that comes and goes with the transaction, and a line after its commit.
  void record(storage::Transaction& transaction, SecurityEvent event);

  /// For what changes nothing. From any thread; never blocks on the output or the database.
  void emit(SecurityEvent event);

  /// A line that is no event of ours to keep (a checkpoint of the trail).
  void print(const std::string& line) { lines_.print(line); }

  [[nodiscard]] const WordCounts& counts() const { return counts_; }
  /// Lines that did not fit into the queue.
  [[nodiscard]] std::uint64_t dropped() const { return lines_.dropped(); }

  /// Stores the rows that wait; later ones are lines only. Before the database closes.
  void finish_rows();

 private:
  struct Refusal {
    SecurityEvent event;
    Time occurred_at;
  };

  /// So many rows at once, and so many a second.
  class Budget {
   public:
    Budget(std::size_t burst, std::size_t per_s, Time now);
    [[nodiscard]] bool take(Time now);

   private:
    double burst_, per_s_, left_;
    Time at_;
  };

  void keep_rows();
  void keep(SecurityEvent event, Time now);
  void store(std::vector<Refusal> refusals, std::uint64_t omitted);
  [[nodiscard]] bool may_store() const KEYWARD_REQUIRES(mutex_);

  void add_trace(SecurityEvent& event) const;

  WordCounts counts_{event_names};
  EventLines lines_;
  const AuditTrail* const trail_;
  storage::Database* const database_;
  const Clock& clock_;

  Mutex mutex_;
  Condition wake_;
  std::vector<Refusal> refusals_ KEYWARD_GUARDED_BY(mutex_);
  std::uint64_t omitted_refusals_ KEYWARD_GUARDED_BY(mutex_) = 0;
  Budget refusal_budget_ KEYWARD_GUARDED_BY(mutex_);
  Budget anonymous_budget_ KEYWARD_GUARDED_BY(mutex_);
  bool storing_ KEYWARD_GUARDED_BY(mutex_) =
      false;  // one group at a time: what comes meanwhile is the next one
  bool rows_finished_ KEYWARD_GUARDED_BY(mutex_) = false;
  bool closing_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::jthread keeper_;  // of rows
};

}  // namespace keyward::domain
