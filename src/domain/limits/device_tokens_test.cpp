#include "domain/limits/device_tokens.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};
constexpr LimitKey account{1, 2, 3};

class DeviceTokensTest : public testing::Test {
 protected:
  crypto::SystemRandom random;
  DeviceTokens tokens{Secret{std::string_view{"0123456789abcdef0123456789abcdef"}}};
};

TEST_F(DeviceTokensTest, a_device_is_known_for_180_days) {
  const auto token = tokens.issue(account, std::nullopt, start, random);
  EXPECT_TRUE(token.starts_with("kw_dv_"));
  EXPECT_TRUE(tokens.check(token, account, start));
  EXPECT_TRUE(tokens.check(token, account, start + limits::device_token_lifetime - seconds{1}));
  EXPECT_FALSE(tokens.check(token, account, start + limits::device_token_lifetime));
}

TEST_F(DeviceTokensTest, a_known_device_keeps_its_id_and_a_new_one_gets_its_own) {
  const auto first = tokens.check(tokens.issue(account, std::nullopt, start, random), account, start);
  ASSERT_TRUE(first);
  const auto known = tokens.check(tokens.issue(account, first->id, start, random), account, start);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->id, first->id);
  EXPECT_EQ(known->issued_at, start);
  const auto another = tokens.check(tokens.issue(account, std::nullopt, start, random), account, start);
  ASSERT_TRUE(another);
  EXPECT_NE(another->id, first->id);
}

TEST_F(DeviceTokensTest, A3_a_token_is_good_for_its_own_account_and_server_only) {
  const auto token = tokens.issue(account, std::nullopt, start, random);
  EXPECT_FALSE(tokens.check(token, LimitKey{1, 2, 4}, start));
  const DeviceTokens other{Secret{std::string_view{"another secret of thirty-two byte"}}};
  EXPECT_FALSE(other.check(token, account, start));
}

TEST_F(DeviceTokensTest, A3_every_changed_character_is_noticed) {
  const auto token = tokens.issue(account, std::nullopt, start, random);
  for (std::size_t at = 0; at < token.size(); ++at) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(tokens.check(changed, account, start)) << at;
    EXPECT_FALSE(tokens.check(token.substr(0, at), account, start)) << at;
  }
  EXPECT_FALSE(tokens.check(token + "A", account, start));
  EXPECT_FALSE(tokens.check("", account, start));
  EXPECT_FALSE(tokens.check(std::string(100'000, 'A'), account, start));
}

}  // namespace
}  // namespace keyward::domain
