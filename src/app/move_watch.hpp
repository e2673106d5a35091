// A server whose database moves to another one (`keyward db move`) stops, so that nobody is answered from the
// old one any more: a session that is ended in the new must not live on here.
#pragma once

#include <atomic>
#include <functional>

#include "runtime/task.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// Asks once a second. When it has moved: sets `moved`, calls `stop` and returns. All outlive the task.
Task<void> watch_for_a_move(storage::Database* database, std::atomic<bool>* moved,
                            std::function<void()> stop);

}  // namespace keyward::app
