// WorkPool: named threads for work that blocks or burns, behind a queue with a bound.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "runtime/completion.hpp"

namespace keyward {

struct WorkPoolOptions {
  std::string name;  // of the threads, as `top -H` shows them (15 characters)
  std::size_t threads = 1;
  std::size_t queue_max = 1024;  // jobs waiting, beside those running
  int nice = 0;  // added to the threads' niceness, so that a burning pool cannot starve the loops
  std::function<void()> on_idle;  // if set: run by a thread that had no job for so long, once, on that thread
  std::chrono::milliseconds idle_after{0};
};

class WorkPool {
 public:
  explicit WorkPool(WorkPoolOptions options);
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  /// Finishes what is running, drops what waits, joins. Pools go before the loops that they resume on.
  ~WorkPool();

  /// Runs `blocking_work` on a thread of the pool and resumes the caller on its own loop with what it
  /// returned. When the queue is full: ErrorCode::unavailable, at once.
  template <class F, class T = std::invoke_result_t<F>>
  Task<Result<T>> run(F blocking_work) {
    auto outcome = co_await await_completion<std::optional<T>>(
        [this, &blocking_work](Completion<std::optional<T>> done) {
          // Shared: std::function wants copies, a Completion cannot be copied.
          auto job = std::make_shared<Job<F, std::optional<T>>>(std::move(blocking_work), std::move(done));
          if (!submit([job] { job->run(); })) job->done(Outcome<std::optional<T>>{std::nullopt});
        });
    if (!outcome) {
      co_return std::unexpected(
          Error{ErrorCode::unavailable, "The server is busy", options_.name + " queue is full", {}, 1});
    }
    co_return std::move(*outcome);
  }

  /// False when the queue is full or the pool is closing; the job was not taken then.
  [[nodiscard]] bool submit(std::function<void()> job);
  [[nodiscard]] std::size_t waiting() const;

 private:
  template <class F, class T>
  struct Job {
    Job(F f, Completion<T> d) : work(std::move(f)), done(std::move(d)) {}
    void run() {
      const LogScope whose{&log_context};
      Outcome<T> outcome{std::unexpected(std::exception_ptr{})};
      try {
        outcome = Outcome<T>{work()};
      } catch (const std::exception&) {
        outcome = std::unexpected(std::current_exception());
      }
      done(std::move(outcome));
    }
    F work;
    Completion<T> done;
    LogContext log_context = copy_log_context();  // of whoever waits
  };

  void thread_main();
  /// The next job; none when the pool closes.
  std::function<void()> wait_for_job(bool& has_worked);

  WorkPoolOptions options_;
  mutable Mutex mutex_;
  Condition wake_;
  std::deque<std::function<void()>> queue_ KEYWARD_GUARDED_BY(mutex_);
  bool closing_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace keyward
