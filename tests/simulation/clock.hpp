// SimulatedClock: time that passes when a schedule says so. The time of day is set forward and back; the
// steady one only goes on.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace keyward::simulation {

class SimulatedClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  [[nodiscard]] Time steady() const override { return steady_; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_point() const {
    return std::chrono::steady_clock::time_point{steady_.time_since_epoch()};
  }

  void pass(microseconds time) {
    now_ += time;
    steady_ += time;
    latest_ = std::max(latest_, now_);
  }
  /// Somebody sets the time of day.
  void set(microseconds by) {
    now_ += by;
    latest_ = std::max(latest_, now_);
    last_set_ = steady_;
  }
  /// The latest time of day that ever was.
  [[nodiscard]] Time latest() const { return latest_; }
  /// When somebody last set it, by the steady clock.
  [[nodiscard]] Time last_set() const { return last_set_; }

 private:
  Time now_{seconds{1'800'000'000}};
  Time steady_{seconds{1'000'000}};
  Time latest_ = now_;
  Time last_set_;
};

}  // namespace keyward::simulation
