// The background sweep of sessions that are long over.
//
// Every ten minutes or so (each process at its own moment) it looks, and removes what it finds in small
// transactions with pauses between them, so that no call waits for it; when there is nothing it writes
// nothing. Each transaction takes the lease, so of several nodes that find something one removes it.
#pragma once

#include "app/sweeping.hpp"
#include "runtime/task.hpp"

namespace keyward::app {

/// Never returns.
Task<void> sweep_sessions_now_and_then(Sweeping sweeping);

}  // namespace keyward::app
