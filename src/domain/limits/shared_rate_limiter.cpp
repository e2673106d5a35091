#include "domain/limits/shared_rate_limiter.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/log.hpp"
#include "redis/errors.hpp"

namespace keyward::domain {
namespace {

/// Where the numbers of a table's windows begin: 62 random bits, so that two nodes never mean the same one.
std::uint64_t random_window(Random& random) {
  const auto bytes = random.bytes<8>();
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number >> 2U;
}

/// A call for each, a batch at a time. Throws redis::Failure.
template <class All, class ToCall>
void run(redis::Session& session, const All& all, const ToCall& to_call) {
  for (auto rest = std::span{all}; !rest.empty();) {
    const auto batch = rest.first(std::min(rest.size(), limits::redis_batch_max));
    std::vector<redis::Call> calls;
    for (const auto& each : batch) calls.push_back(to_call(each));
    for (const auto& reply : session.run(calls)) {
      if (reply.is_error()) throw redis::Failure("answers: " + reply.text);
    }
    rest = rest.subspan(batch.size());
  }
}

bool is_of_passwords(LimitClass limit) { return limit <= LimitClass::login_address; }

}  // namespace

SharedRateLimiter::SharedRateLimiter(Dependencies dependencies) : use_(dependencies) {
  for (auto& table : tables_) {
    table = std::make_unique<LimitTable>(limits::rate_limit_keys_max, LimitTable::Cleared::remembered);
    table->number_windows_from(random_window(use_.random));
  }
}

bool SharedRateLimiter::is_redis_up() {
  if (use_.redis == nullptr) return false;
  if (use_.redis->is_up()) return true;
  ++fallbacks_;
  return false;
}

void SharedRateLimiter::learn(LimitClass limit, const LimitKey& key, const KnownCount& known) {
  if (known.window != 0) table_of(limit).learn(key, known, use_.clock.steady());
}

Task<Verdict> SharedRateLimiter::take(LimitClass limit, LimitRule rule, LimitKey key, Time now) {
  if (use_.database != nullptr && rule.is_settled)
    co_return (co_await take_each({{.limit = limit, .key = key, .rule = rule}}, now)).back();
  auto& table = table_of(limit);
  if (is_redis_up()) {
    const auto before = table.known(key, use_.clock.steady());
    const auto counted = co_await use_.counts->take(limit, rule, key, before, rule.is_settled, now);
    if (counted) {
      learn(limit, key, counted->known);
      co_return counted->verdict;
    }
    ++fallbacks_;
  }
  const auto steady = use_.clock.steady();
  auto verdict = table.take(rule, key, steady);
  verdict.window_ends = now + (verdict.window_ends - steady);
  co_return verdict;
}

Task<std::vector<Verdict>> SharedRateLimiter::take_each(std::vector<Bucket> buckets, Time now) {
  if (use_.database == nullptr ||
      !std::ranges::all_of(buckets, [](const auto& b) { return b.rule.is_settled; }))
    co_return co_await RateLimiter::take_each(std::move(buckets), now);

  auto asked = co_await ask_redis(buckets, now);
  if (asked.is_refused) co_return std::move(asked.verdicts);
  std::vector<Counted> counted;
  std::exception_ptr failed;
  try {
    counted = co_await use_.database->take(asked.wanted, now);
  } catch (const storage::Failure&) {
    failed = std::current_exception();
  }
  const bool is_refused = failed || !counted.back().verdict.allowed;
  if (is_refused) leave_gates(asked.wanted);
  if (failed && asked.is_doubted()) co_return std::move(asked.verdicts);
  if (failed) std::rethrow_exception(failed);
  for (std::size_t i = is_refused ? counted.size() - 1 : 0; i < counted.size(); ++i) {
    const auto& [limit, key, rule] = buckets.at(i);
    const auto& wanted = asked.wanted.at(i);
    learn(limit, key, counted[i].known);
    // Redis did not know. From now on it is the one to refuse, or no longer.
    const bool passed = wanted.new_window != 0;
    if (passed == is_refused && use_.redis != nullptr && use_.redis->is_up())
      use_.redis->cast(use_.counts->tell({.limit = limit, .key = key, .known = counted[i].known}, true));
    counted[i].verdict.gate_window = wanted.new_window;
  }
  std::vector<Verdict> verdicts;
  for (const auto& each : counted) verdicts.push_back(each.verdict);
  co_return verdicts;
}

Task<SharedRateLimiter::Asked> SharedRateLimiter::ask_redis(std::vector<Bucket> buckets, Time now) {
  Asked asked;
  for (const auto& bucket : buckets) {
    const auto& [limit, key, rule] = bucket;
    auto answer = Result<Counted>{};
    if (is_redis_up()) {
      answer = co_await use_.counts->take(limit, rule, key, {}, false, now);
      if (!answer) ++fallbacks_;
    }
    const auto verdict = answer ? answer->verdict : Verdict{};
    const bool was_refused = !asked.verdicts.empty() && !asked.verdicts.back().allowed;
    if (!was_refused) asked.verdicts.push_back(verdict);
    // Of two stores only one can say which refusal is the first to be told: the database.
    if (!verdict.allowed && !verdict.first_refusal && !takes_turn(bucket)) {
      leave_gates(asked.wanted);
      asked.is_refused = true;
      break;
    }
    asked.wanted.push_back({.bucket = bucket,
                            .before = table_of(limit).known(key, use_.clock.steady()),
                            .new_window = verdict.allowed ? verdict.window : 0});
  }
  co_return asked;
}

bool SharedRateLimiter::takes_turn(const Bucket& bucket) {
  constexpr std::int64_t pause = microseconds{limits::redis_refusal_recheck}.count();
  auto& next = next_turns_.at((bucket.key.back() + static_cast<std::size_t>(bucket.limit)) % slot_count);
  const auto now = use_.clock.steady().time_since_epoch().count();
  auto due = next.load(std::memory_order_relaxed);
  return now >= due && next.compare_exchange_strong(due, now + pause, std::memory_order_relaxed);
}

void SharedRateLimiter::leave_gates(const std::vector<DatabaseCounts::Wanted>& passed) {
  for (const auto& each : passed) {
    const Reservation gate{.limit = each.bucket.limit, .key = each.bucket.key, .window = each.new_window};
    if (gate.window != 0) use_.redis->cast(use_.counts->settling(gate, Settlement::given_back));
  }
}

Task<void> SharedRateLimiter::settle_each(std::vector<Settled> all) {
  if (use_.database == nullptr || all.empty()) co_return co_await RateLimiter::settle_each(std::move(all));
  std::exception_ptr failed;
  try {
    const auto known = co_await use_.database->settle(all);
    for (std::size_t i = 0; i < all.size(); ++i) learn(all[i].taken.limit, all[i].taken.key, known.at(i));
  } catch (const storage::Failure&) {
    failed = std::current_exception();
  }
  for (const auto& [taken, settlement] : all) {
    Reservation gate = taken;
    gate.window = taken.gate_window;
    if (use_.redis != nullptr && (gate.window != 0 || (settlement == Settlement::cleared && !failed)))
      use_.redis->cast(use_.counts->settling(gate, settlement));
  }
  if (failed) std::rethrow_exception(failed);
}

Task<void> SharedRateLimiter::settle(Reservation taken, Settlement settlement) {
  if (use_.database != nullptr) co_return co_await settle_each({{taken, settlement}});
  auto& table = table_of(taken.limit);
  if (is_redis_up()) {
    const auto before = table.known(taken.key, use_.clock.steady());
    const auto known = co_await use_.counts->settle(taken, settlement, before, true);
    if (known) {
      learn(taken.limit, taken.key, *known);
      co_return;
    }
    ++fallbacks_;
  }
  table.settle(taken.key, taken.window, settlement);
}

std::size_t SharedRateLimiter::key_count(LimitClass limit) const {
  return tables_.at(static_cast<std::size_t>(limit))->key_count();
}

void SharedRateLimiter::tell_database(redis::Session& session) {
  const bool told_all = use_.database->blocking_each({}, [&](const std::vector<KnownKey>& keys) {
    run(session, keys, [&](const KnownKey& key) { return use_.counts->tell(key, true); });
  });
  // The rest is refused by the database alone, which every attempt asks that Redis lets pass.
  if (!told_all)
    log(LogLevel::warning, "redis_not_told_all",
        {{"told", std::to_string(limits::rate_limit_tell_max)}, {"of", "rate_limits"}});
}

void SharedRateLimiter::tell(redis::Session& session) {
  if (use_.database != nullptr) tell_database(session);
  for (std::size_t i = 0; i < limit_class_count; ++i) {
    const auto limit = static_cast<LimitClass>(i);
    if (use_.database != nullptr && is_of_passwords(limit)) continue;
    run(session, table_of(limit).all_known(use_.clock.steady()), [&](const auto& entry) {
      return use_.counts->tell({.limit = limit, .key = entry.first, .known = entry.second}, false);
    });
  }
  // A replica, or one whose disk is full, is found out here.
  const redis::Call probe{.script = std::nullopt,
                          .words = {"SET", use_.counts->channel() + ":probe", "1", "PX", "1000"}};
  run(session, std::span{&probe, 1}, [](const redis::Call& call) { return call; });
}

void SharedRateLimiter::note_change(bool is_up, const std::string& reason) {
  const std::string counts_in = use_.database != nullptr ? "database" : "memory";
  if (is_up) {
    log(LogLevel::info, "redis_is_there", {{"version", reason}});
    if (degraded_) use_.events.emit({.name = "sys_monitor_restored", .reason = "redis"});
  } else {
    log(LogLevel::error, "redis_is_away", {{"reason", reason}, {"limits_fall_back_to", counts_in}});
    use_.events.emit(
        {.name = "sys_monitor_degraded", .reason = "redis", .detail = "limits fall back to " + counts_in});
  }
  degraded_ = !is_up;
}

void SharedRateLimiter::hear(std::string_view message) {
  if (const auto heard = RedisCounts::parse_message(message)) learn(heard->limit, heard->key, heard->known);
}

}  // namespace keyward::domain
