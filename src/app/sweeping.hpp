// What the sweeps of the background have in common: when they come, and that one node of all does the work.
#pragma once

#include <chrono>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "domain/leases/leases.hpp"
#include "storage/database.hpp"

namespace keyward::app {

/// All of them outlive the sweep.
struct Sweeping {
  storage::Database* database;
  domain::Leases* leases;
  const Clock* clock;
  Random* random;
  std::chrono::milliseconds interval;

  /// From half the interval to one and a half, so that many nodes do not come at once.
  [[nodiscard]] std::chrono::milliseconds next_pause() const {
    const auto bytes = random->bytes<2>();
    return interval / 2 + interval * (bytes[0] * 256 + bytes[1]) / 65536;
  }
};

}  // namespace keyward::app
