#include "domain/limits/limit_table.hpp"

#include <algorithm>
#include <tuple>

namespace keyward::domain {

LimitTable::LimitTable(std::size_t keys_max)
    : shard_keys_max_(std::max<std::size_t>(1, keys_max / shard_count)) {}

Verdict LimitTable::take(LimitRule rule, const LimitKey& key, Time now) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  const auto [entry, crowded] = entry_of(shard, rule, key, now);
  Verdict verdict{.crowded = crowded, .window_ends = entry.window_ends, .window = entry.window};
  if (entry.count < rule.quota) {
    verdict.settled = entry.count - entry.unsettled;
    ++entry.count;
    if (rule.is_settled) ++entry.unsettled;
    verdict.remaining = rule.quota - entry.count;
    return verdict;
  }
  verdict.allowed = false;
  verdict.pending = entry.unsettled > 0;
  if (!verdict.pending) {
    verdict.first_refusal = entry.refusal_told == 0;
    entry.refusal_told = 1;
  }
  return verdict;
}

void LimitTable::settle(const LimitKey& key, std::uint64_t window, Settlement settlement) {
  auto& shard = shard_of(key);
  const std::scoped_lock lock{shard.mutex};
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found == shard.entries.end()) return;
  auto& entry = *found;
  // Of another window than the present one: giving it back would let one more pass in this one.
  if (entry.window == window && entry.unsettled > 0) {
    --entry.unsettled;
    if (settlement == Settlement::given_back) --entry.count;
  }
  if (settlement == Settlement::cleared) entry.count = entry.unsettled;
  if (entry.count == 0) remove(shard, found);
}

std::size_t LimitTable::key_count() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock{shard.mutex};
    count += shard.entries.size();
  }
  return count;
}

LimitTable::Found LimitTable::entry_of(Shard& shard, LimitRule rule, const LimitKey& key, Time now) const {
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found != shard.entries.end()) {
    if (now >= found->window_ends) {
      *found = {.key = key, .window_ends = now + rule.window, .window = ++shard.windows};
    }
    // A clock that was set back must not make a window longer than it is.
    found->window_ends = std::min(found->window_ends, Time{now + rule.window});
    return {.entry = *found};
  }
  if (shard.entries.size() >= shard_keys_max_) make_room(shard, now);
  const auto forgotten = now < shard.floor_ends ? shard.floor : 0;
  const auto floor = std::min(forgotten, std::max(rule.quota, 1U) - 1);  // one for everybody
  auto& entry = shard.entries.emplace_back(
      Entry{.key = key, .window_ends = now + rule.window, .window = ++shard.windows, .count = floor});
  return {.entry = entry, .crowded = floor > rule.quota / 2};
}

void LimitTable::make_room(Shard& shard, Time now) {
  const auto over =
      std::ranges::find_if(shard.entries, [now](const Entry& entry) { return now >= entry.window_ends; });
  if (over != shard.entries.end()) {
    remove(shard, over);
    return;
  }
  const auto least = std::ranges::min_element(shard.entries, [](const Entry& one, const Entry& other) {
    return std::tie(one.count, one.window) < std::tie(other.count, other.window);
  });
  shard.floor = now < shard.floor_ends ? std::max(shard.floor, least->count) : least->count;
  shard.floor_ends = std::max(shard.floor_ends, least->window_ends);
  remove(shard, least);
}

void LimitTable::remove(Shard& shard, std::vector<Entry>::iterator entry) {
  *entry = shard.entries.back();
  shard.entries.pop_back();
}

}  // namespace keyward::domain
