#include "app/move_watch.hpp"

#include <atomic>
#include <memory>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/errors.hpp"
#include "storage/move/moves.hpp"

namespace keyward::app {

void watch_for_a_move(storage::Database& database, std::function<void()> stop) {
  const auto look = [stop = std::move(stop),
                     told = std::make_shared<std::atomic<bool>>(false)](storage::Transaction& transaction) {
    const auto why = storage::why_out_of_use(transaction);
    if (!why) return;
    if (!told->exchange(true)) {
      log(LogLevel::error, "database_not_in_use", {{"reason", *why}});
      stop();
    }
    throw storage::Unavailable(*why);
  };
  database.look_with(look, limits::move_watch_interval);
}

}  // namespace keyward::app
