#include "app/session_sweep.hpp"

#include <string>

#include "app/sweep_interval.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "domain/sessions/sessions.hpp"
#include "runtime/pause.hpp"

namespace keyward::app {

namespace {

Task<std::int64_t> sweep_all(storage::Database* database, const Clock* clock) {
  const auto stale = [now = clock->now()](storage::Transaction& transaction) {
    return domain::has_stale_sessions(transaction, now);
  };
  std::int64_t removed = 0;
  if (!co_await database->read(stale)) co_return removed;
  while (true) {
    const auto batch = co_await database->write([now = clock->now()](storage::Transaction& transaction) {
      return domain::sweep_sessions(transaction, now);
    });
    removed += batch;
    if (batch < limits::session_sweep_max) co_return removed;
    co_await pause(limits::session_sweep_pause);
  }
}

/// One batch at a time is enough: so many are not mailed in an interval.
Task<void> sweep_tokens(storage::Database* database, const Clock* clock) {
  const auto expired = [now = clock->now()](storage::Transaction& transaction) {
    return domain::has_expired_tokens(transaction, now);
  };
  if (!co_await database->read(expired)) co_return;
  co_await database->write(
      [now = clock->now()](storage::Transaction& transaction) { domain::sweep_tokens(transaction, now); });
}

}  // namespace

Task<void> sweep_sessions_now_and_then(storage::Database* database, const Clock* clock, Random* random) {
  while (true) {
    co_await pause(next_sweep_interval(*random));
    try {
      const auto removed = co_await sweep_all(database, clock);
      co_await sweep_tokens(database, clock);
      if (removed != 0) log(LogLevel::info, "sessions_removed", {{"count", std::to_string(removed)}});
    } catch (const std::exception& exception) {
      log(LogLevel::error, "session_sweep_failed", {{"reason", exception.what()}});
    }
  }
}

}  // namespace keyward::app
