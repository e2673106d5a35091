#include "features/page_proof.hpp"

#include <gtest/gtest.h>

namespace keyward::features {
namespace {

const std::string token = "kw_rp_" + std::string(43, 'A');
const std::string transaction = "kw_tx_" + std::string(43, 'B');

TEST(PageProof, only_what_looks_like_ours_is_shown_again) {
  EXPECT_EQ(take_token(token, "kw_rp_"), token);
  for (const auto& text :
       {std::string{}, token + "A", token.substr(1), token.substr(0, 48), "kw_ve_" + std::string(43, 'A'),
        "kw_rp_" + std::string(42, 'A') + "\"", "kw_rp_" + std::string(42, 'A') + "="})
    EXPECT_EQ(take_token(text, "kw_rp_"), "") << text;
  for (const auto* good : {"K7PM2QXD", "k7pm-2qxd", " K7PM 2QXD ", "K7PM - 2QXD"})
    EXPECT_TRUE(is_code(good)) << good;
  for (const auto* bad : {"", "K7PM2QX", "K7PM2QXDA", "K7PM2QX\"", "K7PM2QXD         ", "ä7PM2QX"})
    EXPECT_FALSE(is_code(bad)) << bad;
}

TEST(PageProof, a_token_goes_before_a_code_and_a_code_is_checked_by_its_looks) {
  const PageProof by_token{"kw_rp_", token, transaction, "K7PM-2QXD"};
  EXPECT_EQ(by_token.variables(), (text::Variables{{"token", token}}));
  EXPECT_EQ(by_token.to_proof().token.text(), token);
  EXPECT_TRUE(by_token.to_proof().transaction.empty());
  const PageProof by_code{"kw_rp_", "", transaction, "K7PM-2QXD"};
  EXPECT_EQ(by_code.variables(), (text::Variables{{"transaction", transaction}, {"code", "K7PM-2QXD"}}));
  EXPECT_TRUE(by_code.to_proof().is_code());
  EXPECT_TRUE(by_code.errors().empty());
  EXPECT_EQ(PageProof("kw_rp_", "", transaction, "K7PM").errors().at(0).field, "code");
  EXPECT_TRUE(PageProof("kw_ve_", token, "nothing").is_empty());
}

}  // namespace
}  // namespace keyward::features
