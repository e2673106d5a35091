// Time as a value that is passed in: nothing under protocol/ or domain/ asks the machine what time it is.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace keyward {

/// A point in time, UTC, microseconds since 1970: what a BIGINT column and a JWT's NumericDate are made of.
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using std::chrono::microseconds;
using std::chrono::seconds;

/// `2026-11-23T08:50:42.123456Z` (RFC 3339, UTC), without a fraction of zero; the years end at 0 and 9999.
std::string to_rfc3339(Time time);
/// Reads what to_rfc3339 writes, also with an offset; nothing for anything else.
std::optional<Time> parse_rfc3339(std::string_view text);

inline std::int64_t to_unix_s(Time time) {
  return std::chrono::floor<seconds>(time).time_since_epoch().count();
}
inline Time from_unix_s(std::int64_t unix_s) { return Time{seconds{unix_s}}; }

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time now() const = 0;
  /// Goes forward and is never set: for lengths of time, and no time of the day.
  [[nodiscard]] virtual Time steady() const { return now(); }
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] Time steady() const override {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return Time{std::chrono::duration_cast<microseconds>(since_start)};
  }
};

/// A clock that stands still until it is told to move; for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start) : now_us_(start.time_since_epoch().count()) {}
  [[nodiscard]] Time now() const override { return Time{microseconds{now_us_.load()}}; }
  void advance(microseconds by) { now_us_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_us_;
};

}  // namespace keyward
