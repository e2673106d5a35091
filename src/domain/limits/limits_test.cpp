#include "domain/limits/limits.hpp"

#include <gtest/gtest.h>

#include "domain/limits/memory_rate_limiter.hpp"

namespace keyward::domain {
namespace {

class LimitsTest : public testing::Test {
 protected:
  ManualClock clock{Time{seconds{1'800'000'000}}};
  MemoryRateLimiter engine{clock};
  Limits limits{engine, Secret{std::string_view{"0123456789abcdef0123456789abcdef"}}, {}};
};

TEST_F(LimitsTest, A3_an_account_has_one_key_however_its_address_is_spelled) {
  const auto key = limits.key_of_login("ada.b@example.com");
  for (const std::string_view spelled : {"ADA.B@EXAMPLE.COM", " ada.b@example.com\t", "Ada.B@Example.Com",
                                         "\r\nada.b@example.com", "ada.b@ｅxample.com"}) {
    EXPECT_EQ(limits.key_of_login(spelled), key) << spelled;
  }
  EXPECT_EQ(limits.key_of_login("ada@bücher.example"), limits.key_of_login("ADA@xn--bcher-kva.example"));
  EXPECT_EQ(limits.key_of_login("jose\u0301@example.com"), limits.key_of_login("JOS\u00c9@example.com"));
}

TEST_F(LimitsTest, A3_other_accounts_have_other_keys) {
  const auto key = limits.key_of_login("ada@example.com");
  for (const std::string_view other : {"ada+tag@example.com", "a.da@example.com", "ada@example.org", "ada"}) {
    EXPECT_NE(limits.key_of_login(other), key) << other;
  }
}

TEST_F(LimitsTest, what_is_no_address_is_counted_too) {
  EXPECT_EQ(limits.key_of_login(" NoBody "), limits.key_of_login("nobody"));
  EXPECT_NE(limits.key_of_login("nobody"), limits.key_of_login("nobody2"));
  (void)limits.key_of_login("");
  (void)limits.key_of_login(std::string(100'000, '\xff'));
}

TEST_F(LimitsTest, A3_an_ipv6_client_is_its_64_and_a_mapped_one_is_its_ipv4) {
  const auto key = limits.key_of_address("2001:db8:1:2::1");
  EXPECT_EQ(limits.key_of_address("2001:db8:1:2:ffff:ffff:ffff:ffff"), key);
  EXPECT_NE(limits.key_of_address("2001:db8:1:3::1"), key);
  EXPECT_EQ(limits.key_of_address("::ffff:192.0.2.1"), limits.key_of_address("192.0.2.1"));
  EXPECT_NE(limits.key_of_address("192.0.2.2"), limits.key_of_address("192.0.2.1"));
  EXPECT_NE(limits.key_of_address("::1"), limits.key_of_address("127.0.0.1"));
}

TEST_F(LimitsTest, keys_hang_on_the_secret) {
  const Limits other{engine, Secret{std::string_view{"another secret of thirty-two byte"}}, {}};
  EXPECT_NE(other.key_of_login("ada@example.com"), limits.key_of_login("ada@example.com"));
}

TEST_F(LimitsTest, A1_no_account_can_be_guessed_at_more_than_100_times_in_a_window) {
  const Limits widest{engine, Secret{std::string_view{"k"}}, {.login_attempts = 20}};
  EXPECT_LE(widest.rule_of(LimitClass::login).quota + widest.rule_of(LimitClass::login_devices).quota, 100U);
}

}  // namespace
}  // namespace keyward::domain
