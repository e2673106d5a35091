#include "runtime/within.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <stdexcept>
#include <string>

#include "runtime/pause.hpp"

namespace keyward {
namespace {

using std::chrono::milliseconds;

Task<int> answer_after(milliseconds time) {
  co_await pause(time);
  co_return 42;
}

Task<int> answer_at_once() { co_return 42; }

Task<int> break_after(milliseconds time) {
  co_await pause(time);
  throw std::runtime_error("broken");
}

/// Runs `within(time, task)` to its end, and the task to its own.
std::optional<int> run(milliseconds time, Task<int> task) {
  asio::io_context loop{1};
  std::optional<int> result;
  std::string thrown;
  spawn(
      loop.get_executor(),
      [](std::optional<int>* into, std::string* error, milliseconds most, Task<int> what) -> Task<void> {
        const LogContext context{.request_id = "r1"};
        set_log_context(&context);
        try {
          *into = co_await within(most, std::move(what));
        } catch (const std::runtime_error& exception) {
          *error = exception.what();
        }
        EXPECT_EQ(set_log_context(nullptr), &context);
      }(&result, &thrown, time, std::move(task)),
      "test");
  loop.run();
  EXPECT_EQ(log_context(), nullptr);
  if (!thrown.empty()) throw std::runtime_error(thrown);
  return result;
}

TEST(Within, gives_what_came_in_time) {
  EXPECT_EQ(run(milliseconds{10'000}, answer_after(milliseconds{1})), 42);
  EXPECT_EQ(run(milliseconds{10'000}, answer_at_once()), 42);
}

TEST(Within, gives_nothing_for_what_takes_longer_and_lets_it_go_on) {
  EXPECT_EQ(run(milliseconds{1}, answer_after(milliseconds{50})), std::nullopt);
  EXPECT_EQ(run(milliseconds{1}, break_after(milliseconds{50})), std::nullopt);
}

TEST(Within, throws_what_the_task_threw) {
  EXPECT_THROW(run(milliseconds{10'000}, break_after(milliseconds{1})), std::runtime_error);
}

}  // namespace
}  // namespace keyward
