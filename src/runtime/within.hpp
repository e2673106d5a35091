// within: waits for a task, but not for longer than it may take.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "runtime/completion.hpp"
#include "runtime/task.hpp"

namespace keyward {

namespace detail {

template <class T>
struct Awaited {
  explicit Awaited(const LoopExecutor& executor) : timer(executor) {}
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             LoopExecutor>
      timer;
  std::optional<Outcome<T>> outcome;
};

template <class T>
Task<void> await_into(std::shared_ptr<Awaited<T>> awaited, Task<T> task, LogContext whose) {
  set_log_context(&whose);
  try {
    awaited->outcome.emplace(co_await std::move(task));
  } catch (const std::exception&) {
    awaited->outcome.emplace(std::unexpect, std::current_exception());
  }
  set_log_context(nullptr);
  awaited->timer.cancel();
}

}  // namespace detail

/// What `task` returns or throws; nothing when that takes longer than `time`. The task goes on then and
/// nobody waits for it: it owns what it uses.
template <class T>
Task<std::optional<T>> within(std::chrono::milliseconds time, Task<T> task) {
  auto copy = copy_log_context();  // the task may outlive the request
  const LogContext* const context = set_log_context(nullptr);
  const auto executor = co_await asio::this_coro::executor;
  const auto awaited = std::make_shared<detail::Awaited<T>>(executor);
  awaited->timer.expires_after(time);
  spawn(executor, detail::await_into(awaited, std::move(task), std::move(copy)), "within");
  if (!awaited->outcome)
    (void)co_await awaited->timer.async_wait(asio::as_tuple_t<asio::use_awaitable_t<LoopExecutor>>{use_task});
  set_log_context(context);
  if (!awaited->outcome) co_return std::nullopt;
  if (!*awaited->outcome) std::rethrow_exception(awaited->outcome->error());
  co_return std::move(**awaited->outcome);
}

}  // namespace keyward
