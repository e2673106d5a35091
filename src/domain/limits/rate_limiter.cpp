#include "domain/limits/rate_limiter.hpp"

#include <exception>

namespace keyward::domain {

Task<std::vector<Verdict>> RateLimiter::take_each(std::vector<Bucket> buckets, Time now) {
  std::vector<Verdict> verdicts;
  std::vector<Settled> taken;
  std::exception_ptr failed;
  for (const auto& bucket : buckets) {
    try {
      verdicts.push_back(co_await take(bucket.limit, bucket.rule, bucket.key, now));
    } catch (const std::exception&) {
      failed = std::current_exception();
    }
    if (failed || !verdicts.back().allowed) {
      co_await settle_each(std::move(taken));
      if (failed) std::rethrow_exception(failed);
      break;
    }
    const auto& verdict = verdicts.back();
    taken.push_back({.taken = {.limit = bucket.limit,
                               .key = bucket.key,
                               .window = verdict.window,
                               .gate_window = verdict.gate_window},
                     .settlement = Settlement::given_back});
  }
  co_return verdicts;
}

Task<void> RateLimiter::settle_each(std::vector<Settled> all) {
  std::exception_ptr failed;
  for (const auto& [taken, settlement] : all) {
    try {
      co_await settle(taken, settlement);
    } catch (const std::exception&) {
      failed = std::current_exception();
    }
  }
  if (failed) std::rethrow_exception(failed);
}

}  // namespace keyward::domain
