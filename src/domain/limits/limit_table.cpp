#include "domain/limits/limit_table.hpp"

#include <algorithm>
#include <tuple>

namespace keyward::domain {

LimitTable::LimitTable(std::size_t keys_max, Cleared cleared)
    : shard_keys_max_(std::max<std::size_t>(1, keys_max / shard_count)), cleared_(cleared) {}

Verdict LimitTable::take(LimitRule rule, const LimitKey& key, Time now) {
  auto& shard = shard_of(key);
  const Lock lock{shard.mutex};
  const auto [entry, crowded] = entry_of(shard, rule, key, now);
  auto verdict = entry.counted.take(rule);
  verdict.crowded = crowded;
  return verdict;
}

void LimitTable::settle(const LimitKey& key, std::uint64_t window, Settlement settlement) {
  auto& shard = shard_of(key);
  const Lock lock{shard.mutex};
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found == shard.entries.end()) return;
  (void)found->counted.settle(window, settlement);
  if (found->counted.count == 0 && cleared_ == Cleared::forgotten) remove(shard, found);
}

void LimitTable::number_windows_from(std::uint64_t first) {
  for (auto& shard : shards_) {
    const Lock lock{shard.mutex};
    shard.windows = first;
  }
}

void LimitTable::learn(const LimitKey& key, const KnownCount& known, Time now) {
  auto& shard = shard_of(key);
  const Lock lock{shard.mutex};
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found != shard.entries.end()) return found->counted.learn(known, now);
  if (known.count == 0) return;  // nothing that one could get wrong
  if (shard.entries.size() >= shard_keys_max_) make_room(shard, now);
  shard.entries.emplace_back(Entry{.key = key}).counted.learn(known, now);
}

KnownCount LimitTable::known(const LimitKey& key, Time now) const {
  const auto& shard = shards_.at(shard_number(key));
  const Lock lock{shard.mutex};
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found == shard.entries.end()) return {};
  const auto known = found->counted.known(now);
  return is_worth_telling(known) ? known : KnownCount{};
}

std::vector<std::pair<LimitKey, KnownCount>> LimitTable::all_known(Time now) const {
  std::vector<std::pair<LimitKey, KnownCount>> all;
  for (const auto& shard : shards_) {
    const Lock lock{shard.mutex};
    for (const auto& entry : shard.entries) {
      const auto known = entry.counted.known(now);
      if (is_worth_telling(known)) all.emplace_back(entry.key, known);
    }
  }
  return all;
}

std::size_t LimitTable::key_count() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) {
    const Lock lock{shard.mutex};
    count += shard.entries.size();
  }
  return count;
}

LimitTable::Found LimitTable::entry_of(Shard& shard, LimitRule rule, const LimitKey& key, Time now) const {
  const auto found = std::ranges::find(shard.entries, key, &Entry::key);
  if (found != shard.entries.end()) {
    const bool is_over = now >= found->counted.window_ends;
    found->counted.open(rule, now, is_over ? ++shard.windows : 0);
    return {.entry = *found};
  }
  if (shard.entries.size() >= shard_keys_max_) make_room(shard, now);
  const auto forgotten = now < shard.floor_ends ? shard.floor : 0;
  const auto floor = std::min(forgotten, std::max(rule.quota, 1U) - 1);  // one for everybody
  auto& entry = shard.entries.emplace_back(Entry{.key = key});
  entry.counted.open(rule, now, ++shard.windows);
  entry.counted.count = floor;
  return {.entry = entry, .crowded = floor > rule.quota / 2};
}

void LimitTable::make_room(Shard& shard, Time now) {
  const auto over = std::ranges::find_if(
      shard.entries, [now](const Entry& entry) { return now >= entry.counted.window_ends; });
  if (over != shard.entries.end()) {
    remove(shard, over);
    return;
  }
  const auto least = std::ranges::min_element(shard.entries, [](const Entry& one, const Entry& other) {
    return std::tie(one.counted.count, one.counted.window) <
           std::tie(other.counted.count, other.counted.window);
  });
  const auto& counted = least->counted;
  shard.floor = now < shard.floor_ends ? std::max(shard.floor, counted.count) : counted.count;
  shard.floor_ends = std::max(shard.floor_ends, counted.window_ends);
  remove(shard, least);
}

void LimitTable::remove(Shard& shard, std::vector<Entry>::iterator entry) {
  *entry = shard.entries.back();
  shard.entries.pop_back();
}

}  // namespace keyward::domain
