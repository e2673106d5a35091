// LimitTable: the counts of one limit in this process's memory, with a bound on how many keys it remembers.
//
// Threat: a flood of keys that makes the table forget the attacker's own key, and so refills its budget.
// Answer: a full table forgets the key with the least count, and remembers that count as a floor: until the
// forgotten key's window would have ended, every key that is new to the table begins at the floor (the idea
// of the Space-Saving summary of Metwally, Agrawal and El Abbadi, 2005).
//
// Threat: a flood that raises the floor to the quota, so that every newcomer is refused: a lock for all.
// Answer: the floor stops one below the quota, so a newcomer always has one. The price: a key that was used
// up and then forgotten has one more. Among equal counts the oldest window is forgotten, so after
// 65,536 times the quota in requests (where passwords are counted, each with its hash) every further 65,536
// newcomers within one window buy one more for a key. Who begins above half of its quota is told of
// (Verdict::crowded).
//
// A table can also be what a node remembers of a store that it shares with others (SharedRateLimiter). Then a
// key that was cleared stays until its window ends: that it was cleared must be remembered as well.
//
// Times are a steady clock's, so that a clock that is set ends no window.
//
// Threat: keys chosen to meet in one shard. Answer: keys are keyed hashes (limits.hpp), nobody outside can
// aim.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "domain/limits/limit_count.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

class LimitTable {
 public:
  enum class Cleared : std::uint8_t { forgotten, remembered };
  explicit LimitTable(std::size_t keys_max = limits::rate_limit_keys_max,
                      Cleared cleared = Cleared::forgotten);

  Verdict take(LimitRule rule, const LimitKey& key, Time now);
  void settle(const LimitKey& key, std::uint64_t window, Settlement settlement);
  [[nodiscard]] std::size_t key_count() const;

  /// Windows are numbered from here on: no two tables that tell each other have the same number.
  void number_windows_from(std::uint64_t first);
  /// What another store says of the key.
  void learn(const LimitKey& key, const KnownCount& known, Time now);
  /// What is worth telling another store.
  [[nodiscard]] KnownCount known(const LimitKey& key, Time now) const;
  [[nodiscard]] std::vector<std::pair<LimitKey, KnownCount>> all_known(Time now) const;

 private:
  static constexpr std::size_t shard_count = 512;

  struct Entry {
    LimitKey key{};
    LimitCount counted;
  };
  /// Few enough entries to look at all of them: 56 bytes each, one behind the other.
  struct Shard {
    mutable Mutex mutex;
    std::vector<Entry> entries KEYWARD_GUARDED_BY(mutex);
    std::uint64_t windows KEYWARD_GUARDED_BY(mutex) = 0;  // opened so far: no two have the same number
    std::uint32_t floor KEYWARD_GUARDED_BY(mutex) = 0;    // the most that was forgotten, while…
    Time floor_ends KEYWARD_GUARDED_BY(mutex);            // …any window that was forgotten lasts
  };

  static std::size_t shard_number(const LimitKey& key) {
    return (std::size_t{key.front()} << 8U | key.back()) % shard_count;
  }
  Shard& shard_of(const LimitKey& key) { return shards_.at(shard_number(key)); }
  struct Found {
    Entry& entry;
    bool crowded = false;
  };
  Found entry_of(Shard& shard, LimitRule rule, const LimitKey& key, Time now) const
      KEYWARD_REQUIRES(shard.mutex);
  static void make_room(Shard& shard, Time now) KEYWARD_REQUIRES(shard.mutex);
  static void remove(Shard& shard, std::vector<Entry>::iterator entry) KEYWARD_REQUIRES(shard.mutex);

  const std::size_t shard_keys_max_;
  const Cleared cleared_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace keyward::domain
