#include "text/accept_language.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace keyward::text {
namespace {

std::string choose(std::string_view header, const std::vector<std::string>& available = {"de", "en"}) {
  return choose_locale(header, available);
}

TEST(AcceptLanguage, finds_the_best_liked_that_is_there) {
  EXPECT_EQ(choose("de"), "de");
  EXPECT_EQ(choose("de-AT, en;q=0.5"), "de");
  EXPECT_EQ(choose("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"), "en");
  EXPECT_EQ(choose("en;q=0.7, de;q=0.700"), "en");  // equally liked: the first
  EXPECT_EQ(choose("en;q=0.1, de;q=0.101"), "de");
  EXPECT_EQ(choose("EN-us"), "en");
  EXPECT_EQ(choose(" de ; q=1.000 ,\ten"), "de");
  EXPECT_EQ(choose("de;Q=0.2"), "de");
}

TEST(AcceptLanguage, looks_up_from_long_to_short) {
  EXPECT_EQ(choose("zh-hant-tw", {"zh", "zh-Hant"}), "zh-Hant");
  EXPECT_EQ(choose("de-1996-x-own", {"de", "de-1996-x"}), "de");  // a single letter is no end of a tag
  EXPECT_EQ(choose("de", {"de-AT"}), "");                         // never from short to long
  EXPECT_EQ(choose("de-AT", {"de-AT", "de"}), "de-AT");
}

TEST(AcceptLanguage, a_weight_of_zero_excludes) {
  EXPECT_EQ(choose("de;q=0, en"), "en");
  EXPECT_EQ(choose("de-AT, de;q=0, en;q=0.1"), "en");
  EXPECT_EQ(choose("de;q=0.000"), "");
}

TEST(AcceptLanguage, nothing_matches) {
  for (const auto* header : {"", "*", "fr", "*;q=0.5", ",,,", "fr, *"})
    EXPECT_EQ(choose(header), "") << header;
  EXPECT_EQ(choose("de", {}), "");
}

TEST(AcceptLanguage, what_is_malformed_is_passed_over) {
  for (const auto* header :
       {"de;q=2", "de;q=1.001", "de;q=0.1234", "de;q=", "de;q=.5", "de;q=-1", "de;q=0,5", "de;level=1",
        "de;q=1;q=1", "d\xc3\xa9", "de_AT", "-de", "de-", "4de", "deutschland", "de en", "../de", "de--AT"})
    EXPECT_EQ(choose(header), "") << header;
  EXPECT_EQ(choose("de;q=x, en"), "en");
}

TEST(AcceptLanguage, a_long_header_is_read_in_part) {
  std::string header;
  for (int i = 0; i < 31; ++i) header += "fr,";
  EXPECT_EQ(choose(header + "de"), "de");
  EXPECT_EQ(choose(header + "fr,de"), "");
  EXPECT_EQ(choose(std::string(100'000, 'd')), "");
}

}  // namespace
}  // namespace keyward::text
