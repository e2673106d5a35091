// When to try again after a failure.
#pragma once

#include <chrono>

namespace keyward::redis {

/// From 50 ms, doubled up to a second.
std::chrono::milliseconds next_delay(std::chrono::milliseconds delay);
/// Between half of it and all of it, so that many nodes do not come back in step.
std::chrono::milliseconds spread(std::chrono::milliseconds delay);

}  // namespace keyward::redis
