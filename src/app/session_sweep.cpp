#include "app/session_sweep.hpp"

#include <string>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "domain/identities/handover_codes.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "domain/sessions/sessions.hpp"
#include "runtime/pause.hpp"

namespace keyward::app {

namespace {

constexpr auto work = domain::LeasedWork::session_sweep;

Task<std::int64_t> sweep_all(Sweeping use) {
  const auto stale = [use, now = use.clock->now()](storage::Transaction& transaction) {
    return domain::has_stale_sessions(transaction, now) && !use.leases->is_held_by_another(transaction, work);
  };
  std::int64_t removed = 0;
  if (!co_await use.database->read(stale)) co_return removed;
  while (true) {
    const auto sweep = [use, now = use.clock->now()](storage::Transaction& transaction) -> std::int64_t {
      return use.leases->take(transaction, work) ? domain::sweep_sessions(transaction, now) : 0;
    };
    const auto batch = co_await use.database->write(sweep);
    removed += batch;
    if (batch < limits::session_sweep_max) co_return removed;
    co_await pause(limits::session_sweep_pause);
  }
}

/// One batch at a time is enough: so many are not mailed in an interval.
Task<void> sweep_tokens(Sweeping use) {
  const auto expired = [use, now = use.clock->now()](storage::Transaction& transaction) {
    return domain::has_expired_tokens(transaction, now) && !use.leases->is_held_by_another(transaction, work);
  };
  if (!co_await use.database->read(expired)) co_return;
  co_await use.database->write([use, now = use.clock->now()](storage::Transaction& transaction) {
    if (use.leases->take(transaction, work)) domain::sweep_tokens(transaction, now);
  });
}

Task<void> sweep_provider_logins(Sweeping use) {
  while (true) {
    const auto expired = [use, now = use.clock->now()](storage::Transaction& transaction) {
      return domain::has_expired_provider_logins(transaction, now) &&
             !use.leases->is_held_by_another(transaction, work);
    };
    if (!co_await use.database->read(expired)) co_return;
    co_await use.database->write([use, now = use.clock->now()](storage::Transaction& transaction) {
      if (use.leases->take(transaction, work)) domain::sweep_provider_logins(transaction, now);
    });
    co_await pause(limits::session_sweep_pause);
  }
}

}  // namespace

Task<void> sweep_sessions_now_and_then(Sweeping sweeping) {
  while (true) {
    co_await pause(sweeping.next_pause());
    try {
      const auto removed = co_await sweep_all(sweeping);
      co_await sweep_tokens(sweeping);
      co_await sweep_provider_logins(sweeping);
      if (removed != 0) log(LogLevel::info, "sessions_removed", {{"count", std::to_string(removed)}});
    } catch (const std::exception& exception) {
      log(LogLevel::error, "session_sweep_failed", {{"reason", exception.what()}});
    }
  }
}

}  // namespace keyward::app
