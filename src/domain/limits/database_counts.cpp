#include "domain/limits/database_counts.hpp"

#include <algorithm>
#include <boost/describe/class.hpp>
#include <optional>

#include "base/limits.hpp"

namespace keyward::domain {
namespace {

struct Row {
  std::int64_t window_number = 0;
  std::int64_t version = 0;
  std::int64_t generation = 0;
  std::int64_t counted = 0;
  std::int64_t unsettled = 0;
  bool refusal_told = false;
  Time window_ends;
};
BOOST_DESCRIBE_STRUCT(Row, (),
                      (window_number, version, generation, counted, unsettled, refusal_told, window_ends))

struct LiveRow {
  std::string limit_name;
  Bytes key;
  std::int64_t window_number = 0;
  std::int64_t version = 0;
  std::int64_t generation = 0;
  std::int64_t counted = 0;
  Time window_ends;
};
BOOST_DESCRIBE_STRUCT(LiveRow, (),
                      (limit_name, key, window_number, version, generation, counted, window_ends))

LimitCount find_count(storage::Transaction& transaction, LimitClass limit, const LimitKey& key) {
  const auto row = transaction.find<Row>(
      "SELECT window_number, version, generation, counted, unsettled, refusal_told, window_ends FROM "
      "rate_limits WHERE limit_name = $1 AND key = $2",
      name_of(limit), key);
  if (!row) return {};
  return {.window_ends = row->window_ends,
          .window = static_cast<std::uint64_t>(row->window_number),
          .version = static_cast<std::uint32_t>(row->version),
          .generation = static_cast<std::uint32_t>(row->generation),
          .count = static_cast<std::uint32_t>(row->counted),
          .unsettled = static_cast<std::uint32_t>(row->unsettled),
          .refusal_told = row->refusal_told ? 1U : 0U};
}

void store(storage::Transaction& transaction, LimitClass limit, const LimitKey& key,
           const LimitCount& count) {
  transaction.execute(
      "INSERT INTO rate_limits (limit_name, key, window_number, version, generation, counted, unsettled, "
      "refusal_told, window_ends) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
      "ON CONFLICT (limit_name, key) DO UPDATE SET window_number = excluded.window_number, "
      "version = excluded.version, generation = excluded.generation, counted = excluded.counted, "
      "unsettled = excluded.unsettled, refusal_told = excluded.refusal_told, "
      "window_ends = excluded.window_ends",
      name_of(limit), key, static_cast<std::int64_t>(count.window), std::int64_t{count.version},
      std::int64_t{count.generation}, std::int64_t{count.count}, std::int64_t{count.unsettled},
      count.refusal_told != 0, count.window_ends);
}

Counted to_counted(const Verdict& verdict, const LimitCount& count, Time there, Time now) {
  Counted counted{.verdict = verdict, .known = count.known(there)};
  counted.verdict.window_ends = now + counted.known.left;
  return counted;
}

}  // namespace

Task<Counted> DatabaseCounts::take(LimitClass limit, LimitRule rule, LimitKey key, KnownCount before,
                                   std::uint64_t new_window, Time now) {
  const auto opened = [=](storage::Transaction& transaction, Time there) {
    auto count = find_count(transaction, limit, key);
    if (before.window != 0) (void)count.merge(before, there);
    const auto fresh =
        new_window != 0 ? new_window : static_cast<std::uint64_t>(there.time_since_epoch().count());
    count.open(rule, there, fresh);
    return count;
  };
  const auto refused = co_await database_.read([=](storage::Transaction& transaction) {
    const auto there = transaction.database_time();
    auto count = opened(transaction, there);
    const bool is_known = count.count >= rule.quota && count.unsettled == 0 && count.refusal_told != 0;
    return is_known ? std::optional{to_counted(count.take(rule), count, there, now)} : std::nullopt;
  });
  if (refused) co_return *refused;
  co_return co_await database_.write([=](storage::Transaction& transaction) {
    const auto there = transaction.database_time();
    auto count = opened(transaction, there);
    const auto verdict = count.take(rule);
    if (verdict.allowed || verdict.first_refusal) store(transaction, limit, key, count);
    return to_counted(verdict, count, there, now);
  });
}

Task<KnownCount> DatabaseCounts::settle(Reservation taken, Settlement settlement) {
  co_return co_await database_.write([=](storage::Transaction& transaction) -> KnownCount {
    const auto there = transaction.database_time();
    auto count = find_count(transaction, taken.limit, taken.key);
    if (count.window == 0 || there >= count.window_ends) return {};
    if (count.settle(taken.window, settlement)) store(transaction, taken.limit, taken.key, count);
    return count.known(there);
  });
}

std::vector<KnownKey> DatabaseCounts::blocking_list() {
  return database_.blocking_read([](storage::Transaction& transaction) {
    const auto there = transaction.database_time();
    std::vector<KnownKey> keys;
    for (const auto& row : transaction.list<LiveRow>("SELECT limit_name, key, window_number, version, "
                                                     "generation, counted, window_ends FROM rate_limits "
                                                     "WHERE window_ends > $1",
                                                     there)) {
      const auto limit = std::ranges::find(limit_class_names, row.limit_name);
      KnownKey key;
      if (limit == limit_class_names.end() || row.key.size() != key.key.size()) continue;  // a newer node's
      key.limit = static_cast<LimitClass>(limit - limit_class_names.begin());
      std::ranges::copy(row.key, key.key.begin());
      key.known = {.window = static_cast<std::uint64_t>(row.window_number),
                   .version = static_cast<std::uint32_t>(row.version),
                   .generation = static_cast<std::uint32_t>(row.generation),
                   .count = static_cast<std::uint32_t>(row.counted),
                   .left = row.window_ends - there};
      keys.push_back(key);
    }
    return keys;
  });
}

bool has_stale_counts(storage::Transaction& transaction) {
  return transaction
      .find<std::int64_t>("SELECT window_ends FROM rate_limits WHERE window_ends <= $1 LIMIT 1",
                          transaction.database_time())
      .has_value();
}

std::int64_t sweep_counts(storage::Transaction& transaction) {
  return transaction.execute(
      "DELETE FROM rate_limits WHERE (limit_name, key) IN (SELECT limit_name, key FROM rate_limits WHERE "
      "window_ends <= $1 LIMIT $2)",
      transaction.database_time(), limits::rate_limit_sweep_max);
}

}  // namespace keyward::domain
