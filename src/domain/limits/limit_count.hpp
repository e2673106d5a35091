// LimitCount: what is counted of one key in its present window, and how it changes. The rules are here once
// for the table in memory and for the rows of the database; Redis has them as a script (redis_counts.cpp).
// One suite holds all three against each other (rate_limiters_test.cpp).
//
// KnownCount is what one store can tell another: when the first is lost, counting goes on in the second from
// there, never from nothing. Each change makes the version one larger, so of two reports about a window the
// later one counts, in whichever order they come. A success that clears is a new generation: what was counted
// before it is not brought back by whoever has not heard of it.
#pragma once

#include <cstdint>

#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

struct KnownCount {
  std::uint64_t window = 0;  // 0: nothing is known
  std::uint32_t version = 0;
  std::uint32_t generation = 0;
  std::uint32_t count = 0;
  microseconds left{0};  // of the window; a length and no time, so that nobody's clock matters
};

struct LimitCount {
  Time window_ends;
  std::uint64_t window = 0;
  std::uint32_t version = 0;
  std::uint32_t generation = 0;
  std::uint32_t count = 0;
  std::uint32_t unsettled : 31 = 0;  // of these
  std::uint32_t refusal_told : 1 = 0;

  /// Before take(): a new window, if the present one is over; the full length of it, if nothing is counted.
  void open(LimitRule rule, Time now, std::uint64_t new_window);
  /// All but `crowded`.
  Verdict take(LimitRule rule);
  /// False: nothing changed.
  bool settle(std::uint64_t of_window, Settlement settlement);

  /// Of the store that counts: takes over what is later than this.
  void learn(const KnownCount& known, Time now);
  /// Of another store that counted before: of one window the later report counts, of two the larger number.
  /// False: nothing changed.
  bool merge(const KnownCount& known, Time now);
  [[nodiscard]] KnownCount known(Time now) const;

 private:
  void begin_as(const KnownCount& known, Time now);
};

/// What is known is worth handing on: the window lasts long enough.
bool is_worth_telling(const KnownCount& known);

}  // namespace keyward::domain
