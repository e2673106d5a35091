#include "domain/sessions/refresh_tokens.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>

#include "crypto/digest.hpp"
#include "crypto/system_random.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {
namespace {

class RefreshTokensTest : public testing::Test {
 protected:
  crypto::SystemRandom random_;
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  RefreshTokens tokens_{master_key_};
  RefreshTokens::Named named_{Uuid::make_v7(Time{seconds{1'800'000'000}}, random_), 7};
};

TEST_F(RefreshTokensTest, what_was_made_is_read_and_made_alike_again) {
  for (const std::int64_t generation : {std::int64_t{0}, std::int64_t{1}, std::int64_t{255},
                                        std::int64_t{256}, std::numeric_limits<std::int64_t>::max()}) {
    const RefreshTokens::Named named{named_.session_id, generation};
    const auto text = tokens_.make(named);
    EXPECT_TRUE(text.starts_with("kw_rt_"));
    EXPECT_EQ(text.size(), 81U);
    EXPECT_EQ(tokens_.parse(text), named);
    EXPECT_EQ(tokens_.make(named), text);
  }
}

TEST_F(RefreshTokensTest, S1_every_other_text_is_refused) {
  const auto good = tokens_.make(named_);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char c : {'A', 'B', '-', '_', '+', '/', '=', ' ', '\0', '\xff'}) {
      auto text = good;
      if (text[i] == c) continue;
      text[i] = c;
      EXPECT_FALSE(tokens_.parse(text)) << i;
    }
    EXPECT_FALSE(tokens_.parse(std::string_view{good}.substr(0, i)));
  }
  EXPECT_FALSE(tokens_.parse(good + "A"));
  EXPECT_FALSE(tokens_.parse(good + good));
  EXPECT_FALSE(tokens_.parse(std::string(1 << 20, 'A')));
}

TEST_F(RefreshTokensTest, S1_another_session_or_generation_has_another_code) {
  std::set<std::string> codes;
  for (std::int64_t generation = 0; generation < 100; ++generation) {
    codes.insert(tokens_.make({named_.session_id, generation}).substr(38));
    codes.insert(tokens_.make({Uuid::make_v7(Time{}, random_), generation}).substr(38));
  }
  EXPECT_EQ(codes.size(), 200U);
}

TEST_F(RefreshTokensTest, S1_another_master_key_or_purpose_makes_no_token_of_ours) {
  const auto other = crypto::MasterKey::generate(random_);
  EXPECT_FALSE(tokens_.parse(RefreshTokens{other}.make(named_)));
  // The same bytes under a sub-key of another purpose.
  auto raw = *text::parse_base64url(tokens_.make(named_).substr(6));
  const std::string label = "keyward refresh token";
  Bytes message{label.begin(), label.end()};
  message.insert(message.end(), raw.begin(), raw.begin() + 24);
  const auto code = crypto::hmac_sha256(master_key_.derive("audit e-mail 1").bytes(), message);
  std::ranges::copy(code, raw.begin() + 24);
  EXPECT_FALSE(tokens_.parse("kw_rt_" + text::to_base64url(raw)));
}

}  // namespace
}  // namespace keyward::domain
