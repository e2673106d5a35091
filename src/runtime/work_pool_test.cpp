#include "runtime/work_pool.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

namespace keyward {
namespace {

TEST(WorkPool, a_thread_that_worked_and_has_no_more_jobs_is_idle_once) {
  std::promise<std::thread::id> idle;
  std::atomic<int> times{0};
  WorkPool pool{{.name = "pool",
                 .on_idle =
                     [&] {
                       if (++times == 1) idle.set_value(std::this_thread::get_id());
                     },
                 .idle_after = std::chrono::milliseconds{1}}};
  std::promise<std::thread::id> worked;
  ASSERT_TRUE(pool.submit([&] { worked.set_value(std::this_thread::get_id()); }));
  EXPECT_EQ(idle.get_future().get(), worked.get_future().get());

  std::promise<void> again;
  ASSERT_TRUE(pool.submit([&] { again.set_value(); }));
  again.get_future().get();  // it still takes jobs
  EXPECT_LE(times, 2);
}

TEST(WorkPool, a_thread_that_never_worked_has_nothing_to_give_back) {
  std::atomic<int> times{0};
  {
    WorkPool pool{{.name = "pool", .on_idle = [&] { ++times; }, .idle_after = std::chrono::milliseconds{0}}};
  }
  EXPECT_EQ(times, 0);
}

}  // namespace
}  // namespace keyward
