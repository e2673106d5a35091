// Doorbell: wakes a thread that sleeps until there is something to do.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/mutex.hpp"

namespace keyward {

/// Rings that nobody waited for are not lost.
class Doorbell {
 public:
  void ring() {
    {
      const Lock lock{mutex_};
      ++rings_;
    }
    rung_.notify_all();
  }
  /// Until it is rung, or `stop` returns true at a ring, or the time is over.
  template <class Stop>
  void wait_for(microseconds time, Stop stop) {
    Lock lock{mutex_};
    rung_.wait_for(mutex_, time, [&]() KEYWARD_REQUIRES(mutex_) { return rings_ != seen_ || stop(); });
    seen_ = rings_;
  }

 private:
  Mutex mutex_;
  Condition rung_;
  std::uint64_t rings_ KEYWARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t seen_ KEYWARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace keyward
