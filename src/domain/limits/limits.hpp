// Limits: which limits there are, how large they are, and by what each one counts.
//
// Threats: a key that the caller can vary without being somebody else (A3: an account is counted by its
// normalised e-mail, whether it exists or not; a client by its address, IPv6 by the /64 that one customer
// has) · a key that tells who tried to log in (keys are hashes under a sub-key of the master key).
// `name+tag@example.com` is another account than `name@example.com`, and so another key.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/secret.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

struct LimitSettings {
  bool enabled = true;
  std::uint32_t login_attempts = 5;
  seconds login_window{900};
  std::uint32_t login_address_attempts = 100;
  std::uint32_t register_per_hour = 60;
  std::uint32_t refresh_per_minute = 600;
  std::uint32_t forgot_per_hour = 20;
  std::uint32_t proofs_per_minute = 60;
  std::uint32_t provider_logins_per_minute = 300;
};

class Limits {
 public:
  /// `key`: 32 bytes, MasterKey::derive("limits 1").
  Limits(RateLimiter& engine, Secret key, const LimitSettings& settings);

  [[nodiscard]] bool enabled() const { return enabled_; }
  [[nodiscard]] LimitRule rule_of(LimitClass limit) const { return rules_.at(index_of(limit)); }

  /// Of an account, by what was typed as its e-mail. What is no address has a key as well: it is nobody's
  /// account, and must answer like one.
  [[nodiscard]] LimitKey key_of_login(std::string_view typed) const;
  /// Of a client, by its address as text.
  [[nodiscard]] LimitKey key_of_address(std::string_view address) const;

  /// RateLimiter's, with the rule of the limit; refusals for good, and keys that a flood left less than half
  /// of their quota, are counted for the metrics.
  Task<Verdict> take(LimitClass limit, LimitKey key, Time now);
  Task<std::vector<Verdict>> take_each(std::vector<Bucket> buckets, Time now);
  Task<void> settle_each(std::vector<Settled> all);

  [[nodiscard]] std::uint64_t refusals(LimitClass limit) const { return refusals_.at(index_of(limit)); }
  [[nodiscard]] std::uint64_t crowded(LimitClass limit) const { return crowded_.at(index_of(limit)); }
  [[nodiscard]] std::size_t key_count(LimitClass limit) const { return engine_.key_count(limit); }

 private:
  static std::size_t index_of(LimitClass limit) { return static_cast<std::size_t>(limit); }
  void note(LimitClass limit, const Verdict& verdict);
  [[nodiscard]] LimitKey key_of(std::string_view kind, std::string_view subject) const;

  RateLimiter& engine_;
  Secret key_;
  bool enabled_;
  std::array<LimitRule, limit_class_count> rules_;
  std::array<std::atomic<std::uint64_t>, limit_class_count> refusals_{};
  std::array<std::atomic<std::uint64_t>, limit_class_count> crowded_{};
};

}  // namespace keyward::domain
