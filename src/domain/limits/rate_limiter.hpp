// RateLimiter: counts what may happen only so often. One interface for the engine in this process and for one
// that several nodes share.
//
// A limit is a quota in a window. The window of a key opens with the first thing that is counted and lasts
// its full length: a fixed window, so that one number and one time are all there is to keep. (The worst that
// a fixed window allows is twice the quota less one within one window's length, around its end.) What is
// refused is not counted and prolongs nothing: a delay, never a lock for ever (A1).
//
// Taking is reserving: whoever wants to do the counted thing takes first, and settles when it is known what
// came of it. So N parallel tries cannot all pass a check before the first one is counted (A2). Each of the
// two calls is one atomic step on one key: in Redis one script each. What is counted by two keys takes from
// both or from neither.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "runtime/task.hpp"

namespace keyward::domain {

/// What is counted, and by what.
enum class LimitClass : std::uint8_t {
  login,             // passwords tried, by account
  login_device,      // the same, by a device that the owner has logged in from (device_tokens.hpp)
  login_devices,     // the same, of all such devices of an account together
  login_address,     // the same, by client address
  register_address,  // by client address, as the following
  refresh_address,
  forgot_address,
  proof_address,  // links and codes of mails
  setup_address,
  provider_address,  // logins at providers
  exchange_address,  // what comes of them: an application's server is one client for all its people
};
inline constexpr std::size_t limit_class_count = 11;
inline constexpr std::array<std::string_view, limit_class_count> limit_class_names{
    "login",  "login_device", "login_devices", "login_address", "register", "refresh",
    "forgot", "proof",        "setup",         "provider",      "exchange"};
inline std::string_view name_of(LimitClass limit) {
  return limit_class_names.at(static_cast<std::size_t>(limit));
}

struct LimitRule {
  std::uint32_t quota = 0;
  seconds window{0};
  bool is_settled = false;  // each one that is taken is settled later; otherwise taking is counting
};

/// A keyed hash of what is counted by: no address of mail or network leaves the process with it.
using LimitKey = std::array<std::uint8_t, 16>;

struct Verdict {
  bool allowed = true;
  bool pending = false;           // refused, but not for good: some that were taken are not settled yet
  bool first_refusal = false;     // for good, of this key in this window: what an event is written for
  bool crowded = false;           // new to a table so full that less than half of its quota was left for it
  std::uint32_t remaining = 0;    // after this one
  std::uint32_t settled = 0;      // counted before this one, for good
  Time window_ends;               // when the key's whole quota is there again
  std::uint64_t window = 0;       // which of the key's windows it is; for the reservation
  std::uint64_t gate_window = 0;  // the same in Redis, where another store counts as well
};

/// What was taken: of which key, and in which window. That is a number and no time: a clock that is set back
/// moves a window's end, and two that take at once may bring their times in the other order.
struct Reservation {
  LimitClass limit = LimitClass::login;
  LimitKey key{};
  std::uint64_t window = 0;
  std::uint64_t gate_window = 0;
};

/// What became of it.
enum class Settlement : std::uint8_t {
  counted,     // it happened
  given_back,  // it did not
  cleared,     // it was the proof that all before were harmless: only what is still unsettled stays counted
};

/// Whom to take from.
struct Bucket {
  LimitClass limit = LimitClass::login;
  LimitKey key{};
  LimitRule rule{};
};

struct Settled {
  Reservation taken;
  Settlement settlement = Settlement::counted;
};

class RateLimiter {
 public:
  RateLimiter() = default;
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;
  virtual ~RateLimiter() = default;

  /// Counts one, if the quota allows.
  virtual Task<Verdict> take(LimitClass limit, LimitRule rule, LimitKey key, Time now) = 0;
  /// Once for each reservation; nothing when its window is over. `cleared` needs none: a window of 0 is no
  /// reservation's.
  virtual Task<void> settle(Reservation taken, Settlement settlement) = 0;

  /// take() from each, in order, with a verdict each. Where one refuses, its verdict is the last, and nothing
  /// is taken from any.
  virtual Task<std::vector<Verdict>> take_each(std::vector<Bucket> buckets, Time now);
  /// settle() of each. Those that fail keep no other from it.
  virtual Task<void> settle_each(std::vector<Settled> all);

  /// Keys that are remembered; 0 where that is not known.
  [[nodiscard]] virtual std::size_t key_count(LimitClass limit) const = 0;
};

}  // namespace keyward::domain
