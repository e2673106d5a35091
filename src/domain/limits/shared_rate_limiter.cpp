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
  if (use_.database != nullptr && rule.is_settled) co_return co_await take_in_database(limit, rule, key, now);
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

Task<Verdict> SharedRateLimiter::take_in_database(LimitClass limit, LimitRule rule, LimitKey key, Time now) {
  Reservation gate{.limit = limit, .key = key};
  if (is_redis_up()) {
    const auto asked = co_await use_.counts->take(limit, rule, key, {}, false, now);
    if (!asked) {
      ++fallbacks_;
    } else if (!asked->verdict.allowed) {
      co_return asked->verdict;
    } else {
      gate.window = asked->verdict.window;
    }
  }
  std::optional<Counted> counted;
  std::exception_ptr failed;
  try {
    const auto before = table_of(limit).known(key, use_.clock.steady());
    counted = co_await use_.database->take(limit, rule, key, before, gate.window, now);
  } catch (const storage::Failure&) {
    failed = std::current_exception();
  }
  const bool is_refused = failed || !counted->verdict.allowed;
  if (is_refused && gate.window != 0) use_.redis->cast(use_.counts->settling(gate, Settlement::given_back));
  if (failed) std::rethrow_exception(failed);
  learn(limit, key, counted->known);
  // Redis did not know. From now on it is the one to refuse.
  if (is_refused && gate.window != 0)
    use_.redis->cast(use_.counts->tell({.limit = limit, .key = key, .known = counted->known}, true));
  counted->verdict.gate_window = gate.window;
  co_return counted->verdict;
}

Task<void> SharedRateLimiter::settle(Reservation taken, Settlement settlement) {
  auto& table = table_of(taken.limit);
  if (use_.database != nullptr) {
    learn(taken.limit, taken.key, co_await use_.database->settle(taken, settlement));
    Reservation gate = taken;
    gate.window = taken.gate_window;
    if (use_.redis != nullptr && (gate.window != 0 || settlement == Settlement::cleared))
      use_.redis->cast(use_.counts->settling(gate, settlement));
    co_return;
  }
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

std::vector<redis::Call> SharedRateLimiter::all_known() {
  std::vector<redis::Call> calls;
  if (use_.database != nullptr) {
    for (const auto& key : use_.database->blocking_list()) calls.push_back(use_.counts->tell(key, true));
  }
  for (std::size_t i = 0; i < limit_class_count; ++i) {
    const auto limit = static_cast<LimitClass>(i);
    if (use_.database != nullptr && is_of_passwords(limit)) continue;
    for (const auto& [key, known] : table_of(limit).all_known(use_.clock.steady()))
      calls.push_back(use_.counts->tell({.limit = limit, .key = key, .known = known}, false));
  }
  return calls;
}

void SharedRateLimiter::tell(redis::Session& session) {
  auto calls = all_known();
  // A replica, or one whose disk is full, is found out here.
  calls.push_back(
      {.script = std::nullopt, .words = {"SET", use_.counts->channel() + ":probe", "1", "PX", "1000"}});
  for (std::span<const redis::Call> rest{calls}; !rest.empty();) {
    const auto batch = rest.first(std::min(rest.size(), limits::redis_batch_max));
    for (const auto& reply : session.run(batch)) {
      if (reply.is_error()) throw redis::Failure("answers: " + reply.text);
    }
    rest = rest.subspan(batch.size());
  }
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
