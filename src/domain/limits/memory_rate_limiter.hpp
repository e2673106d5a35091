// MemoryRateLimiter: the engine of a single node. A restart forgets the counts; nobody who guesses can cause
// one. Windows are measured with a steady clock: whoever sets the clock opens none early.
#pragma once

#include <array>

#include "base/clock.hpp"
#include "domain/limits/limit_table.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

class MemoryRateLimiter final : public RateLimiter {
 public:
  explicit MemoryRateLimiter(const Clock& clock) : clock_(clock) {}

  Task<Verdict> take(LimitClass limit, LimitRule rule, LimitKey key, Time now) override {
    const auto steady = clock_.steady();
    auto verdict = table_of(limit).take(rule, key, steady);
    verdict.window_ends = now + (verdict.window_ends - steady);
    co_return verdict;
  }
  Task<void> settle(Reservation taken, Settlement settlement) override {
    table_of(taken.limit).settle(taken.key, taken.window, settlement);
    co_return;
  }
  [[nodiscard]] std::size_t key_count(LimitClass limit) const override {
    return tables_.at(static_cast<std::size_t>(limit)).key_count();
  }

 private:
  LimitTable& table_of(LimitClass limit) { return tables_.at(static_cast<std::size_t>(limit)); }

  const Clock& clock_;
  // A table for each limit: a flood at one endpoint takes no room from another.
  std::array<LimitTable, limit_class_count> tables_;
};

}  // namespace keyward::domain
