// pause: a coroutine waits for a while, and its loop serves others meanwhile.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>

#include "base/log.hpp"
#include "runtime/task.hpp"

namespace keyward {

inline Task<void> pause(std::chrono::milliseconds time) {
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             LoopExecutor>
      timer{co_await asio::this_coro::executor, time};
  const LogContext* const context = set_log_context(nullptr);
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(use_task, error));
  set_log_context(context);
  if (error) throw boost::system::system_error{error};
}

}  // namespace keyward
