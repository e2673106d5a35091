// MemoryRateLimiter: the engine of a single node. A restart forgets the counts; nobody who guesses can cause
// one.
#pragma once

#include <array>

#include "domain/limits/limit_table.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

class MemoryRateLimiter final : public RateLimiter {
 public:
  Task<Verdict> take(LimitClass limit, LimitRule rule, LimitKey key, Time now) override {
    co_return table_of(limit).take(rule, key, now);
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

  // A table for each limit: a flood at one endpoint takes no room from another.
  std::array<LimitTable, limit_class_count> tables_;
};

}  // namespace keyward::domain
