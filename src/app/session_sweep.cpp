#include "app/session_sweep.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "domain/sessions/sessions.hpp"

namespace keyward::app {

namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

/// From half the interval to one and a half, so that many nodes do not come at once.
std::chrono::milliseconds next_interval(Random& random) {
  std::array<std::uint8_t, 2> bytes{};
  random.fill(bytes);
  const std::chrono::milliseconds interval = limits::session_sweep_interval;
  return interval / 2 + interval * (bytes[0] * 256 + bytes[1]) / 65536;
}

Task<std::int64_t> sweep_all(storage::Database* database, const Clock* clock) {
  Timer timer{co_await asio::this_coro::executor};
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
    timer.expires_after(limits::session_sweep_pause);
    co_await timer.async_wait(use_task);
  }
}

}  // namespace

Task<void> sweep_sessions_now_and_then(storage::Database* database, const Clock* clock, Random* random) {
  Timer timer{co_await asio::this_coro::executor};
  while (true) {
    timer.expires_after(next_interval(*random));
    co_await timer.async_wait(use_task);
    try {
      const auto removed = co_await sweep_all(database, clock);
      if (removed != 0) log(LogLevel::info, "sessions_removed", {{"count", std::to_string(removed)}});
    } catch (const std::exception& exception) {
      log(LogLevel::error, "session_sweep_failed", {{"reason", exception.what()}});
    }
  }
}

}  // namespace keyward::app
