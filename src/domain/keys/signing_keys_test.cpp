#include "domain/keys/signing_keys.hpp"

#include <gtest/gtest.h>

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'000'000'000}};
constexpr std::chrono::hours day{24};

SigningKeyRow make_row(std::string id, Time created_at, Time activates_at) {
  return {.id = std::move(id), .created_at = created_at, .activates_at = activates_at};
}

TEST(SigningKeys, J4_a_key_is_published_signs_verifies_and_goes) {
  const std::vector keys{make_row("one", start, start), make_row("two", start + 89 * day, start + 90 * day)};
  const auto states = [&](Time now) {
    return std::pair{status_of(keys[0], keys, now), status_of(keys[1], keys, now)};
  };
  using enum KeyStatus;
  EXPECT_EQ(states(start), std::pair(active, next));
  EXPECT_EQ(states(start + 90 * day - microseconds{1}), std::pair(active, next));
  EXPECT_EQ(states(start + 90 * day), std::pair(retired, active));
  EXPECT_EQ(states(start + 90 * day + key_retention - microseconds{1}), std::pair(retired, active));
  EXPECT_EQ(states(start + 90 * day + key_retention), std::pair(removed, active));
}

TEST(SigningKeys, exactly_one_key_signs_at_any_time) {
  const std::vector keys{make_row("one", start, start), make_row("two", start, start + day),
                         make_row("three", start + day, start + day),
                         make_row("four", start + 2 * day, start + 3 * day)};
  for (int hour = 0; hour < 24 * 10; ++hour) {
    int signers = 0;
    for (const auto& key : keys)
      signers += status_of(key, keys, start + std::chrono::hours{hour}) == KeyStatus::active ? 1 : 0;
    EXPECT_EQ(signers, 1) << hour;
  }
}

TEST(SigningKeys, a_compromised_key_is_gone_at_once_and_succeeds_nobody) {
  std::vector keys{make_row("one", start, start), make_row("two", start, start + day)};
  keys[1].removed_at = start;
  EXPECT_EQ(status_of(keys[1], keys, start + 2 * day), KeyStatus::removed);
  EXPECT_EQ(status_of(keys[0], keys, start + 2 * day), KeyStatus::active);
}

TEST(SigningKeys, a_key_verifies_for_longer_than_any_token_lives) {
  EXPECT_GE(key_retention, limits::access_token_lifetime_max + limits::token_clock_skew);
}

}  // namespace
}  // namespace keyward::domain
