// pause: a coroutine waits for a while, and its loop serves others meanwhile.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>

#include "base/log.hpp"
#include "runtime/task.hpp"

namespace keyward {

inline Task<void> pause(std::chrono::milliseconds time) {
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             LoopExecutor>
      timer{co_await asio::this_coro::executor, time};
  const LogContext* const context = set_log_context(nullptr);
  co_await timer.async_wait(use_task);
  set_log_context(context);
}

}  // namespace keyward
