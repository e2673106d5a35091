#include "domain/limits/limit_count.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace keyward::domain {

void LimitCount::open(LimitRule rule, Time now, std::uint64_t new_window) {
  if (now >= window_ends) {
    *this = {.window_ends = now + rule.window, .window = new_window};
  } else if (count == 0) {  // all of it was cleared or given back: as if it began now
    window_ends = now + rule.window;
    refusal_told = 0;
  }
  // A clock that was set back must not make a window longer than it is.
  window_ends = std::min(window_ends, Time{now + rule.window});
}

Verdict LimitCount::take(LimitRule rule) {
  Verdict verdict{.window_ends = window_ends, .window = window};
  if (count < rule.quota) {
    verdict.settled = count - unsettled;
    ++count;
    ++version;
    if (rule.is_settled) ++unsettled;
    verdict.remaining = rule.quota - count;
    return verdict;
  }
  verdict.allowed = false;
  verdict.pending = unsettled > 0;
  if (!verdict.pending) {
    verdict.first_refusal = refusal_told == 0;
    refusal_told = 1;
  }
  return verdict;
}

bool LimitCount::settle(std::uint64_t of_window, Settlement settlement) {
  bool changed = false;
  // Of another window than the present one: giving it back would let one more pass in this one.
  if (window == of_window && unsettled > 0) {
    --unsettled;
    if (settlement == Settlement::given_back) --count;
    changed = true;
  }
  if (settlement == Settlement::cleared) {
    count = unsettled;
    ++generation;
    changed = true;
  }
  if (changed) ++version;
  return changed;
}

void LimitCount::begin_as(const KnownCount& known, Time now) {
  *this = {.window_ends = now + known.left,
           .window = known.window,
           .version = known.version,
           .generation = known.generation,
           .count = known.count};
}

void LimitCount::learn(const KnownCount& known, Time now) {
  if (known.window != window || now >= window_ends) {
    begin_as(known, now);
  } else if (known.version > version) {
    window_ends = now + known.left;
    version = known.version;
    generation = known.generation;
    count = known.count;
    unsettled = std::min<std::uint32_t>(unsettled, count);  // which they are, the store that counts knows
  }
}

bool LimitCount::merge(const KnownCount& known, Time now) {
  if (window == 0 || now >= window_ends) {
    // The same window, which a clock that was set has ended early: what others have counted in it stays.
    if (window == known.window && window != 0 && version >= known.version) {
      window_ends = now + known.left;
    } else {
      begin_as(known, now);
    }
    return true;
  }
  if (known.window == window) {
    if (known.version <= version || known.generation < generation) return false;
    const bool is_cleared = known.generation > generation;
    learn({.window = window,
           .version = known.version,
           .generation = known.generation,
           .count = is_cleared ? known.count : std::max(count, known.count),
           .left = known.left},
          now);
    return true;
  }
  if (known.count <= count) return false;
  count = known.count;
  ++version;
  return true;
}

KnownCount LimitCount::known(Time now) const {
  return {.window = window,
          .version = version,
          .generation = generation,
          .count = count,
          .left = std::max(window_ends - now, microseconds{0})};
}

bool is_worth_telling(const KnownCount& known) {
  return known.window != 0 && known.left > limits::rate_limit_floor_least;
}

}  // namespace keyward::domain
