#include "app/move_watch.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "runtime/pause.hpp"
#include "storage/move/moves.hpp"

namespace keyward::app {

Task<void> watch_for_a_move(storage::Database* database, std::atomic<bool>* moved,
                            std::function<void()> stop) {
  while (true) {
    co_await pause(limits::move_watch_interval);
    try {
      const auto in_use = co_await database->read(storage::check_in_use);
      if (in_use) continue;
      log(LogLevel::error, "database_not_in_use", {{"reason", in_use.error().message}});
      *moved = true;
      stop();
      co_return;
    } catch (const std::exception&) {
      // The database is away; who needs it tells so.
    }
  }
}

}  // namespace keyward::app
