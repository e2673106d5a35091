#include "domain/limits/limit_table.hpp"

#include <algorithm>

namespace keyward::domain {

LimitTable::LimitTable(std::size_t keys_max)
    : shard_keys_max_(std::max<std::size_t>(1, keys_max / shard_count)) {}

Verdict LimitTable::take(LimitRule rule, const LimitKey& key, Time now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  auto& entry = entry_of(shard, rule, key, now);
  Verdict verdict{.window_ends = entry.window_ends};
  if (entry.count < rule.quota) {
    ++entry.count;
    if (rule.is_settled) ++entry.unsettled;
    verdict.remaining = rule.quota - entry.count;
    return verdict;
  }
  verdict.allowed = false;
  verdict.pending = entry.unsettled > 0;
  if (!verdict.pending) verdict.first_refusal = !std::exchange(entry.refusal_told, true);
  return verdict;
}

void LimitTable::settle(const LimitKey& key, Time window_ends, Settlement settlement) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end()) return;
  auto& entry = found->second;
  // Of another window than the present one: giving it back would let one more pass in this one.
  if (entry.window_ends == window_ends && entry.unsettled > 0) {
    --entry.unsettled;
    if (settlement == Settlement::given_back) --entry.count;
  }
  if (settlement == Settlement::cleared) entry.count = entry.unsettled;
  if (entry.count == 0) shard.entries.erase(found);
}

std::size_t LimitTable::key_count() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock{shard.mutex};
    count += shard.entries.size();
  }
  return count;
}

LimitTable::Entry& LimitTable::entry_of(Shard& shard, LimitRule rule, const LimitKey& key, Time now) const {
  const auto found = shard.entries.find(key);
  if (found != shard.entries.end()) {
    auto& entry = found->second;
    if (now >= entry.window_ends) entry = {.window_ends = now + rule.window};
    // A clock that was set back must not make a window longer than it is.
    entry.window_ends = std::min(entry.window_ends, Time{now + rule.window});
    return entry;
  }
  if (shard.entries.size() >= shard_keys_max_) make_room(shard, now);
  const auto floor = now < shard.floor_ends ? shard.floor : 0;
  return shard.entries.try_emplace(key, Entry{.window_ends = now + rule.window, .count = floor})
      .first->second;
}

void LimitTable::make_room(Shard& shard, Time now) {
  auto least = shard.entries.begin();
  for (auto at = shard.entries.begin(); at != shard.entries.end(); ++at) {
    if (now >= at->second.window_ends) {
      shard.entries.erase(at);
      return;
    }
    if (at->second.count < least->second.count) least = at;
  }
  const auto& entry = least->second;
  shard.floor = now < shard.floor_ends ? std::max(shard.floor, entry.count) : entry.count;
  shard.floor_ends = std::max(shard.floor_ends, entry.window_ends);
  shard.entries.erase(least);
}

}  // namespace keyward::domain
