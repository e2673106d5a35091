// LimitTable: the counts of one limit in this process's memory, with a bound on how many keys it remembers.
//
// Threat: a flood of keys that makes the table forget the attacker's own key, and so refills its budget.
// Answer: a full table forgets the key with the least count, and remembers that count as a floor: until the
// forgotten key's window would have ended, every key that is new to the table begins at the floor. So a key's
// count is never lower than the truth, whatever was forgotten (the idea of the Space-Saving summary of
// Metwally, Agrawal and El Abbadi, 2005). The price is paid in the safe direction: while a flood of more keys
// than the table holds goes on, newcomers have less than their whole quota.
//
// Threat: keys chosen to meet in one shard. Answer: keys are keyed hashes (limits.hpp), nobody outside can
// aim.
#pragma once

#include <array>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "base/limits.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

class LimitTable {
 public:
  explicit LimitTable(std::size_t keys_max = limits::rate_limit_keys_max);

  Verdict take(LimitRule rule, const LimitKey& key, Time now);
  void settle(const LimitKey& key, Time window_ends, Settlement settlement);
  [[nodiscard]] std::size_t key_count() const;

 private:
  static constexpr std::size_t shard_count = 512;

  struct Entry {
    Time window_ends;
    std::uint32_t count = 0;
    std::uint32_t unsettled = 0;  // of these
    bool refusal_told = false;
  };
  struct KeyHash {
    /// The key is a hash already.
    std::size_t operator()(const LimitKey& key) const {
      std::size_t hash = 0;
      std::memcpy(&hash, key.data(), sizeof hash);
      return hash;
    }
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<LimitKey, Entry, KeyHash> entries;
    std::uint32_t floor = 0;  // the most that was forgotten, while…
    Time floor_ends;          // …any window that was forgotten lasts
  };

  /// By other bytes of the key than its hash in the shard.
  Shard& shard_of(const LimitKey& key) {
    return shards_.at((std::size_t{key[key.size() - 2]} << 8U | key.back()) % shard_count);
  }
  Entry& entry_of(Shard& shard, LimitRule rule, const LimitKey& key, Time now) const;
  static void make_room(Shard& shard, Time now);

  const std::size_t shard_keys_max_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace keyward::domain
