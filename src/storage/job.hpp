// Job: one closure on its way through a lane, and where its result goes.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "runtime/completion.hpp"
#include "storage/errors.hpp"
#include "storage/transaction.hpp"

namespace keyward::storage {

class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  /// Runs the closure, as often as it takes. False: it returned an error, so its changes are to be rolled
  /// back.
  virtual bool attempt(Transaction& transaction) = 0;
  /// Hands the last attempt's result to the caller. One of deliver, fail and refuse ends a job.
  virtual void deliver() = 0;
  virtual void fail(std::exception_ptr why) = 0;
  /// Unavailable: an error for a closure that returns Result, an exception for any other.
  virtual void refuse(const std::string& why) = 0;

  std::vector<std::function<void()>> after_commit;
  std::exception_ptr thrown;                          // what the last attempt threw
  const LogContext log_context = copy_log_context();  // of whoever waits
};

namespace detail {

template <class F>
using ClosureResult = std::invoke_result_t<F&, Transaction&>;
/// void travels as monostate.
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;

/// Where a blocking caller waits.
template <class T>
class Waiter {
 public:
  explicit Waiter(std::promise<Outcome<T>> promise) : promise_(std::move(promise)) {}
  void operator()(Outcome<T> outcome) { promise_.set_value(std::move(outcome)); }

 private:
  std::promise<Outcome<T>> promise_;
};

/// `Done` takes an Outcome<Stored<ClosureResult<F>>>, once.
template <class F, class Done>
class JobOf final : public Job {
 public:
  using T = ClosureResult<F>;
  static_assert(!std::is_reference_v<T>,
                "a closure returns a value: the row it read is gone when the caller resumes");

  JobOf(F closure, Done done) : closure_(std::move(closure)), done_(std::move(done)) {}

  bool attempt(Transaction& transaction) override {
    value_.reset();
    if constexpr (std::is_void_v<T>) {
      closure_(transaction);
      value_.emplace();
    } else {
      value_.emplace(closure_(transaction));
      if constexpr (is_result<T>) return value_->has_value();
    }
    return true;
  }
  void deliver() override { done_(Outcome<Stored<T>>{std::in_place, std::move(*value_)}); }
  void fail(std::exception_ptr why) override { done_(Outcome<Stored<T>>{std::unexpect, std::move(why)}); }
  void refuse(const std::string& why) override {
    if constexpr (is_result<T>) {
      done_(Outcome<T>{std::in_place,
                       std::unexpected(Error{ErrorCode::unavailable, "The server is busy", why, {}, 1})});
    } else {
      fail(std::make_exception_ptr(Unavailable(why)));
    }
  }

 private:
  F closure_;
  Done done_;
  std::optional<Stored<T>> value_;
};

}  // namespace detail
}  // namespace keyward::storage
