// Sharing: what several nodes have in common beside the database: rate limits, and word of what has changed.
//
// limits.store says where limits are counted. With Redis, this node also publishes each revision that it
// bumps, and takes over those of others, so that a session that ended here is refused there within
// milliseconds; without, within limits::cached_account_max_age (a second).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/core.hpp"
#include "app/sweeping.hpp"
#include "domain/limits/shared_rate_limiter.hpp"
#include "redis/subscriber.hpp"

namespace keyward::app {

/// limits.store with `auto` decided: memory, database or redis.
std::string_view limits_store(const Config& config);

class Sharing {
 public:
  Sharing(const Config& config, Core& core);
  Sharing(const Sharing&) = delete;
  Sharing& operator=(const Sharing&) = delete;
  ~Sharing() { stop(); }

  [[nodiscard]] domain::RateLimiter& rate_limiter() { return *limiter_; }

  /// Connects. A Redis that is away is no error; one that will not serve us is.
  Result<void> blocking_start();
  /// Before the loops go.
  void stop();

  /// Limits are counted in rows, which are to be swept.
  [[nodiscard]] bool has_rows() const { return database_ != nullptr; }

  /// For the metrics; nothing without Redis.
  [[nodiscard]] std::optional<redis::Client::Statistics> redis_statistics() const;
  [[nodiscard]] std::uint64_t fallbacks() const { return shared_ != nullptr ? shared_->fallbacks() : 0; }

 private:
  void open_redis(const Config& config);
  void hear(std::string_view channel, std::string_view message);
  void announce(std::size_t revision);

  Core& core_;
  const std::string prefix_;  // of keys and channels: the deployment's own
  const std::string node_;    // who published something
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<redis::Subscriber> subscriber_;
  std::unique_ptr<domain::RedisCounts> counts_;
  std::unique_ptr<domain::DatabaseCounts> database_;
  std::unique_ptr<domain::RateLimiter> limiter_;
  domain::SharedRateLimiter* shared_ = nullptr;  // the limiter, unless it counts in memory alone
};

/// Removes counts that are over; never returns.
Task<void> sweep_counts_now_and_then(Sweeping sweeping);

}  // namespace keyward::app
