// `keyward db move`: copies a database that is in use to an empty one, of any engine, and puts an end to the
// old.
//
// While servers write, rounds of reconcile() each copy one committed state. Then writers are held (a lock;
// reads go on), the last round copies what is left, every table of both sides is counted and hashed, and in
// the same transaction the source begins to refuse writes for good. Servers see that within
// limits::move_watch_interval and stop; after limits::move_settle_time the target may be used.
//
// Threats: two databases in use at once, a session ended in one and alive in the other (the source refuses
// writes before the target may be used; a server asks both at its start) · two processes that move, one of
// which was stopped and goes on (fences: moves.hpp) · a move that dies at any point
// (what is done is in the tables themselves; the lock goes with the connection; --resume goes on) · rows that
// arrive changed (hashes) · a target that is somebody's (empty,
// or this move's; looked at before it is migrated) · passwords of URLs in
// messages (peers are shown without).
#pragma once

#include <string>
#include <vector>

#include "base/random.hpp"
#include "storage/database.hpp"
#include "storage/move/reconcile.hpp"

namespace keyward::storage {

struct MoveOptions {
  DatabaseOptions source, target;
  std::string source_shown, target_shown;  // for people
  bool resume = false;
  Sha256Function sha256;
  std::chrono::milliseconds settle_time = limits::move_settle_time;
  MoveProgress progress;  // may throw, which is as if the process died there
};

/// The first that differs.
const ComparedTable* find_difference(const ComparedTables& tables);

/// Every table of both sides, which are equal; the errors are sentences for the operator. Throws Failure.
Result<ComparedTables> blocking_move(const MoveOptions& options, const Clock& clock, Random& random);

/// Counts and hashes both sides as they are, changes nothing.
Result<ComparedTables> blocking_compare(const MoveOptions& options);

/// Takes a database that has moved back into use, as it was then.
Result<void> blocking_reopen(const DatabaseOptions& options);

}  // namespace keyward::storage
