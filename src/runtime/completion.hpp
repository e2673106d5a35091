// await_completion: suspends a coroutine until another thread has a result, and resumes it on its own loop.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <utility>

#include "base/log.hpp"
#include "runtime/task.hpp"

namespace keyward {

/// A result, or the exception that came instead.
template <class T>
using Outcome = std::expected<T, std::exception_ptr>;

/// The far end of a suspended coroutine: call it exactly once, from any thread. One that is dropped uncalled
/// (its pool was shut down) leaves the coroutine suspended for ever, to be destroyed with its loop.
template <class T>
class Completion {
 public:
  template <class Handler>
  explicit Completion(Handler handler) : impl_(std::make_unique<Impl<Handler>>(std::move(handler))) {}

  void operator()(Outcome<T> outcome) { std::exchange(impl_, nullptr)->complete(std::move(outcome)); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void complete(Outcome<T> outcome) = 0;
  };
  template <class Handler>
  struct Impl final : Base {
    explicit Impl(Handler given)
        : handler(std::move(given)),
          executor(asio::prefer(asio::get_associated_executor(handler),
                                asio::execution::outstanding_work.tracked)) {}
    void complete(Outcome<T> outcome) override {
      asio::post(executor, [handler = std::move(handler), outcome = std::move(outcome)]() mutable {
        std::move(handler)(std::move(outcome));
      });
    }
    Handler handler;
    // Tracked: the loop does not run out of work while it waits for us.
    decltype(asio::prefer(asio::get_associated_executor(std::declval<Handler&>()),
                          asio::execution::outstanding_work.tracked)) executor;
  };
  std::unique_ptr<Base> impl_;
};

/// `auto row = co_await await_completion<Row>([&](Completion<Row> done) { queue(std::move(done)); });`
/// `start` runs at once on the calling thread. Throws what the completion was given as an exception. The
/// log's context goes with the coroutine: the loop serves others meanwhile.
template <class T, class Start>
Task<T> await_completion(Start start) {
  const LogContext* const context = log_context();
  auto outcome = co_await asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>, void(Outcome<T>)>(
      [&start](auto handler) {
        start(Completion<T>{std::move(handler)});
        set_log_context(nullptr);
      },
      use_task);
  set_log_context(context);
  if (!outcome) std::rethrow_exception(outcome.error());
  co_return std::move(*outcome);
}

}  // namespace keyward
