#include "redis/retry.hpp"

#include <algorithm>
#include <random>

#include "base/limits.hpp"

namespace keyward::redis {

std::chrono::milliseconds next_delay(std::chrono::milliseconds delay) {
  return std::clamp(delay * 2, limits::redis_retry_min, limits::redis_retry_max);
}

std::chrono::milliseconds spread(std::chrono::milliseconds delay) {
  std::random_device random;  // nothing secret depends on it
  const auto half = delay.count() / 2;
  return std::chrono::milliseconds{half + std::uniform_int_distribution<std::int64_t>{0, half}(random)};
}

}  // namespace keyward::redis
