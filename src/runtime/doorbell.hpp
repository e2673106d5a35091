// Doorbell: wakes a thread that sleeps until there is something to do.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/clock.hpp"

namespace keyward {

/// Rings that nobody waited for are not lost.
class Doorbell {
 public:
  void ring() {
    {
      const std::scoped_lock lock{mutex_};
      ++rings_;
    }
    rung_.notify_all();
  }
  /// Until it is rung, or `stop` returns true at a ring, or the time is over.
  template <class Stop>
  void wait_for(microseconds time, Stop stop) {
    std::unique_lock lock{mutex_};
    rung_.wait_for(lock, time, [&] { return rings_ != seen_ || stop(); });
    seen_ = rings_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  std::uint64_t rings_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace keyward
