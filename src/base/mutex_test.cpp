#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace keyward {
namespace {

using std::chrono::milliseconds;

struct Counted {
  Mutex mutex;
  Condition changed;
  int count KEYWARD_GUARDED_BY(mutex) = 0;

  void add() {
    {
      const Lock lock{mutex};
      ++count;
    }
    changed.notify_all();
  }
};

TEST(Mutex, a_lock_can_be_given_up_and_taken_again) {
  Counted counted;
  Lock lock{counted.mutex};
  lock.unlock();
  std::thread{[&] { counted.add(); }}.join();  // would wait for ever
  lock.lock();
  EXPECT_EQ(counted.count, 1);
}

TEST(Mutex, a_lock_that_was_given_up_is_not_released_twice) {
  Counted counted;
  {
    Lock lock{counted.mutex};
    lock.unlock();
  }
  counted.add();
  const Lock lock{counted.mutex};
  EXPECT_EQ(counted.count, 1);
}

TEST(Condition, lets_others_in_while_it_waits) {
  Counted counted;
  const std::jthread other{[&] { counted.add(); }};
  const Lock lock{counted.mutex};
  counted.changed.wait(counted.mutex, [&]() KEYWARD_REQUIRES(counted.mutex) { return counted.count == 1; });
  EXPECT_EQ(counted.count, 1);
}

TEST(Condition, says_that_the_time_was_over_and_the_mutex_is_held_still) {
  Counted counted;
  std::jthread other;
  {
    const Lock lock{counted.mutex};
    EXPECT_FALSE(counted.changed.wait_for(counted.mutex, milliseconds{1}, [] { return false; }));
    other = std::jthread{[&] { counted.add(); }};
    std::this_thread::sleep_for(milliseconds{10});
    EXPECT_EQ(counted.count, 0);
  }
  other.join();
  const Lock lock{counted.mutex};
  EXPECT_TRUE(counted.changed.wait_for(counted.mutex, milliseconds{0}, [] { return true; }));
  EXPECT_EQ(counted.count, 1);
}

}  // namespace
}  // namespace keyward
