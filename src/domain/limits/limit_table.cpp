#include "domain/limits/limit_table.hpp"

#include <algorithm>

namespace keyward::domain {

LimitTable::LimitTable(std::size_t keys_max)
    : shard_keys_max_(std::max<std::size_t>(1, keys_max / shard_count)) {}

Verdict LimitTable::take(LimitRule rule, const LimitKey& key, Time now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  auto& entry = entry_of(shard, rule, key, now);
  if (entry.count >= rule.quota) {
    const bool told = std::exchange(entry.refusal_told, true);
    return {.allowed = false, .first_refusal = !told, .remaining = 0, .window_ends = entry.window_ends};
  }
  ++entry.count;
  return {.allowed = true,
          .first_refusal = false,
          .remaining = rule.quota - entry.count,
          .window_ends = entry.window_ends};
}

void LimitTable::give_back(const LimitKey& key, Time window_ends) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  const auto found = shard.entries.find(key);
  if (found == shard.entries.end()) return;
  auto& entry = found->second;
  // Another window than the one it was taken in: giving it back would let one more pass in this one.
  if (entry.window_ends != window_ends || entry.count == 0) return;
  if (--entry.count == 0) shard.entries.erase(found);
}

void LimitTable::forget(const LimitKey& key) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  shard.entries.erase(key);
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
  const auto removed =
      std::erase_if(shard.entries, [now](const auto& item) { return now >= item.second.window_ends; });
  if (removed != 0) return;
  const auto least = std::ranges::min_element(shard.entries, {}, [](const auto& item) {
    return std::pair{item.second.count, item.second.window_ends};
  });
  const auto& entry = least->second;
  shard.floor = now < shard.floor_ends ? std::max(shard.floor, entry.count) : entry.count;
  shard.floor_ends = std::max(shard.floor_ends, entry.window_ends);
  shard.entries.erase(least);
}

}  // namespace keyward::domain
