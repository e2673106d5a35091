#include "mail/retry.hpp"

#include <algorithm>
#include <cmath>

#include "base/limits.hpp"

namespace keyward::mail {

microseconds retry_delay(std::int64_t attempts, double jitter) {
  const std::chrono::duration<double> first = limits::mail_first_retry;
  const std::chrono::duration<double> last = limits::mail_last_retry;
  const auto doublings = static_cast<double>(std::clamp<std::int64_t>(attempts - 1, 0, 32));
  const auto delay = std::min(first * std::exp2(doublings), last) * (0.75 + jitter / 2);
  return std::chrono::duration_cast<microseconds>(delay);
}

microseconds unsure_retry_delay(microseconds age) {
  return std::max<microseconds>(age, limits::mail_unsure_retry);
}

}  // namespace keyward::mail
