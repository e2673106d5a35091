// The background sweep of sessions that are long over.
//
// Every ten minutes or so (each process at its own moment) it looks, and removes what it finds in small
// transactions with pauses between them, so that no call waits for it; when there is nothing it writes
// nothing.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "runtime/task.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// Never returns; the three outlive it.
Task<void> sweep_sessions_now_and_then(storage::Database* database, const Clock* clock, Random* random);

}  // namespace keyward::app
