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

LimitCount open_count(storage::Transaction& transaction, const DatabaseCounts::Wanted& wanted, Time there) {
  auto count = find_count(transaction, wanted.bucket.limit, wanted.bucket.key);
  if (wanted.before.window != 0) (void)count.merge(wanted.before, there);
  const auto fresh = wanted.new_window != 0 ? wanted.new_window
                                            : static_cast<std::uint64_t>(there.time_since_epoch().count());
  count.open(wanted.bucket.rule, there, fresh);
  return count;
}

struct Tried {
  std::vector<Counted> counted;  // up to the first that refuses
  std::vector<LimitCount> rows;  // as they are to be stored

  [[nodiscard]] const Verdict& last() const { return counted.back().verdict; }
  [[nodiscard]] bool is_refused() const { return !counted.empty() && !last().allowed; }
};

Tried try_each(storage::Transaction& transaction, const std::vector<DatabaseCounts::Wanted>& all, Time now) {
  const auto there = transaction.database_time();
  Tried tried;
  for (const auto& wanted : all) {
    auto count = open_count(transaction, wanted, there);
    const auto verdict = count.take(wanted.bucket.rule);
    tried.counted.push_back(to_counted(verdict, count, there, now));
    tried.rows.push_back(count);
    if (!verdict.allowed) break;
  }
  return tried;
}

/// Nothing: a limit that only a newer node knows.
std::optional<KnownKey> to_key(const LiveRow& row, Time there) {
  const auto limit = std::ranges::find(limit_class_names, row.limit_name);
  KnownKey key;
  if (limit == limit_class_names.end() || row.key.size() != key.key.size()) return std::nullopt;
  key.limit = static_cast<LimitClass>(limit - limit_class_names.begin());
  std::ranges::copy(row.key, key.key.begin());
  key.known = {.window = static_cast<std::uint64_t>(row.window_number),
               .version = static_cast<std::uint32_t>(row.version),
               .generation = static_cast<std::uint32_t>(row.generation),
               .count = static_cast<std::uint32_t>(row.counted),
               .left = row.window_ends - there};
  return key;
}

struct Page {
  std::vector<KnownKey> keys;
  std::int64_t count = 0;  // of rows
  LiveRow last;
};

/// What stands behind `after`, in the order of the ends of windows, the last one first.
Page blocking_page(storage::Database& database, const LiveRow& after, std::int64_t rows_max) {
  return database.blocking_read([&](storage::Transaction& transaction) {
    const auto there = transaction.database_time();
    const auto rows = transaction.list<LiveRow>(
        "SELECT limit_name, key, window_number, version, generation, counted, window_ends FROM rate_limits "
        "WHERE window_ends > $1 AND (window_ends, limit_name, key) < ($2, $3, $4) "
        "ORDER BY window_ends DESC, limit_name DESC, key DESC LIMIT $5",
        there, after.window_ends, after.limit_name, after.key, rows_max);
    Page page{.count = static_cast<std::int64_t>(rows.size())};
    for (const auto& row : rows) {
      if (auto key = to_key(row, there)) page.keys.push_back(*key);
    }
    if (!rows.empty()) page.last = rows.back();
    return page;
  });
}

}  // namespace

Task<std::vector<Counted>> DatabaseCounts::take(std::vector<Wanted> all, Time now) {
  auto read = co_await database_.read(
      [all, now](storage::Transaction& transaction) { return try_each(transaction, all, now); });
  if (read.is_refused() && !read.last().first_refusal) co_return std::move(read.counted);
  co_return co_await database_.write([all = std::move(all), now](storage::Transaction& transaction) {
    auto tried = try_each(transaction, all, now);
    const auto store_at = [&](std::size_t i) {
      store(transaction, all.at(i).bucket.limit, all.at(i).bucket.key, tried.rows.at(i));
    };
    if (!tried.is_refused()) {
      for (std::size_t i = 0; i < all.size(); ++i) store_at(i);
    } else if (tried.last().first_refusal) {
      store_at(tried.rows.size() - 1);
    }
    return std::move(tried.counted);
  });
}

Task<std::vector<KnownCount>> DatabaseCounts::settle(std::vector<Settled> all) {
  co_return co_await database_.write([all = std::move(all)](storage::Transaction& transaction) {
    const auto there = transaction.database_time();
    std::vector<KnownCount> known;
    for (const auto& [taken, settlement] : all) {
      auto count = find_count(transaction, taken.limit, taken.key);
      const bool is_over = count.window == 0 || there >= count.window_ends;
      if (!is_over && count.settle(taken.window, settlement))
        store(transaction, taken.limit, taken.key, count);
      known.push_back(is_over ? KnownCount{} : count.known(there));
    }
    return known;
  });
}

bool DatabaseCounts::blocking_each(Pages pages,
                                   const std::function<void(const std::vector<KnownKey>&)>& use) {
  auto last = LiveRow{.window_ends = Time::max()};
  for (std::int64_t given = 0; given < pages.rows_in_all;) {
    const auto wanted = std::min(pages.rows, pages.rows_in_all - given);
    const auto page = blocking_page(database_, last, wanted);
    if (!page.keys.empty()) use(page.keys);
    if (page.count < wanted) return true;
    given += page.count;
    last = page.last;
  }
  return blocking_page(database_, last, 1).count == 0;
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
