#include "domain/identities/provider_logins.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};

class ProviderLoginsTest : public ::testing::Test {
 protected:
  [[nodiscard]] ProviderLogin login() {
    return {.provider = "acme",
            .issuer = "https://op.example",
            .nonce = "n",
            .code_verifier = "v",
            .handover = {"https://app.example/back?x=1", "challenge"},
            .connecting = Connecting{Uuid::make_v7(start, random_), Uuid::make_v7(start, random_)},
            .expires_at = start + limits::provider_login_lifetime};
  }
  crypto::SystemRandom random_;
  crypto::MasterKey key_ = crypto::MasterKey::generate(random_);
  ProviderLogins logins_{key_, random_};
};

TEST_F(ProviderLoginsTest, what_was_sealed_is_opened) {
  const auto sealed = login();
  const auto opened = logins_.open(logins_.seal(sealed, "state"), "acme", "state", start);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->issuer, sealed.issuer);
  EXPECT_EQ(opened->nonce, sealed.nonce);
  EXPECT_EQ(opened->code_verifier, sealed.code_verifier);
  EXPECT_EQ(opened->handover, sealed.handover);
  EXPECT_EQ(opened->connecting, sealed.connecting);
  EXPECT_EQ(opened->expires_at, sealed.expires_at);
  auto bare = login();
  bare.connecting.reset();
  EXPECT_FALSE(logins_.open(logins_.seal(bare, "s"), "acme", "s", start)->connecting);
}

TEST_F(ProviderLoginsTest, F4_it_counts_with_its_state_at_its_provider_and_in_its_time) {
  const auto cookie = logins_.seal(login(), "state");
  EXPECT_FALSE(logins_.open(cookie, "acme", "another", start));
  EXPECT_FALSE(logins_.open(cookie, "acme", "", start));
  EXPECT_FALSE(logins_.open(cookie, "other", "state", start));
  EXPECT_FALSE(logins_.open(cookie, "acme\nstate", "", start));
  EXPECT_FALSE(logins_.open("", "acme", "state", start));
  EXPECT_FALSE(logins_.open(cookie, "acme", "state", start + limits::provider_login_lifetime));
  EXPECT_FALSE(
      ProviderLogins(crypto::MasterKey::generate(random_), random_).open(cookie, "acme", "state", start));
}

TEST_F(ProviderLoginsTest, F4_a_cookie_with_any_character_changed_is_none) {
  const auto cookie = logins_.seal(login(), "state");
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    auto changed = cookie;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(logins_.open(changed, "acme", "state", start)) << i;
  }
}

TEST_F(ProviderLoginsTest, a_cookie_fits_into_what_browsers_take) {
  auto large = login();
  large.handover.return_to = "https://app.example/" + std::string(limits::return_to_max_bytes - 20, 'x');
  large.handover.code_challenge = std::string(43, 'c');
  large.code_verifier = std::string(43, 'v');
  large.nonce = std::string(43, 'n');
  const auto cookie = logins_.seal(large, "state");
  EXPECT_LT(cookie.size() + std::string_view{"__Host-kw_login_00000000="}.size(), 4096U);
  EXPECT_TRUE(logins_.open(cookie, "acme", "state", start));
}

TEST_F(ProviderLoginsTest, F3_a_ticket_is_no_login_and_a_login_no_ticket) {
  const ConnectTicket ticket{.provider = "acme",
                             .handover = {},
                             .connecting = *login().connecting,
                             .expires_at = start + seconds{1}};
  const auto text = logins_.seal_ticket(ticket);
  const auto opened = logins_.open_ticket(text, "acme", start);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->connecting, ticket.connecting);
  EXPECT_FALSE(logins_.open_ticket(text, "other", start));
  EXPECT_FALSE(logins_.open_ticket(text, "acme", start + seconds{1}));
  EXPECT_FALSE(logins_.open_ticket(logins_.seal(login(), "state"), "acme", start));
  EXPECT_FALSE(logins_.open(text, "acme", "state", start));
}

}  // namespace
}  // namespace keyward::domain
