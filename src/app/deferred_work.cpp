#include "app/deferred_work.hpp"

#include <pthread.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "storage/errors.hpp"

namespace keyward::app {

void DeferredWork::start() {
  thread_ = std::jthread{[this] { thread_main(); }};
}

void DeferredWork::stop() {
  stopping_ = true;
  requests_.doorbell().ring();
  if (thread_.joinable()) thread_.join();
}

void DeferredWork::thread_main() {
  pthread_setname_np(pthread_self(), "kw-deferred");
  while (!stopping_) {
    microseconds rest = limits::deferred_retry;
    try {
      rest = std::min<microseconds>(blocking_work(), limits::deferred_poll_interval);
    } catch (const std::exception& exception) {
      log(LogLevel::error, "deferred_work_failed", {{"reason", exception.what()}});
      put_off();
    }
    if (rest > microseconds{0}) requests_.doorbell().wait_for(rest, [this] { return stopping_.load(); });
  }
}

microseconds DeferredWork::blocking_work() {
  while (!stopping_) {
    const auto now = clock_.now();
    const auto due = database_.blocking_read(domain::find_next_due_request);
    if (!due) return limits::deferred_poll_interval;
    if (*due > now) return *due - now;
    database_.blocking_write([&](storage::Transaction& transaction) {
      const auto request = domain::take_due_request(transaction, now);
      if (request && request->expires_at > now) carry_out_(transaction, *request);
    });
  }
  return {};
}

/// The request that failed must not hold up the others.
void DeferredWork::put_off() {
  try {
    database_.blocking_write([now = clock_.now()](storage::Transaction& transaction) {
      domain::postpone_due_request(transaction, now);
    });
  } catch (const storage::Failure& failure) {
    log(LogLevel::error, "deferred_work_failed", {{"reason", failure.what()}});
  }
}

}  // namespace keyward::app
