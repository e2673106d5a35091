// When the sweeps of the background come.
#pragma once

#include <chrono>

#include "base/limits.hpp"
#include "base/random.hpp"

namespace keyward::app {

/// From half the interval to one and a half, so that many nodes do not come at once.
inline std::chrono::milliseconds next_sweep_interval(Random& random) {
  const auto bytes = random.bytes<2>();
  const std::chrono::milliseconds interval = limits::session_sweep_interval;
  return interval / 2 + interval * (bytes[0] * 256 + bytes[1]) / 65536;
}

}  // namespace keyward::app
