#include "text/unicode.hpp"

#include <gtest/gtest.h>

#include <array>

namespace keyward::text {
namespace {

using namespace std::string_view_literals;

TEST(Unicode, utf8_is_told_from_what_is_not) {
  for (const auto good : {""sv, "plain"sv, "\0"sv, "caf\xC3\xA9"sv, "\xE2\x82\xAC"sv, "\xF0\x9F\x98\x80"sv,
                          "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  const std::array bad{"\x80"sv,              // continuation alone
                       "\xC0\xAF"sv,          // overlong '/'
                       "\xC1\xBF"sv,          // overlong
                       "\xE0\x9F\xBF"sv,      // overlong
                       "\xF0\x8F\xBF\xBF"sv,  // overlong
                       "\xED\xA0\x80"sv,      // surrogate
                       "\xED\xBF\xBF"sv,      // surrogate
                       "\xF4\x90\x80\x80"sv,  // above U+10FFFF
                       "\xF5\x80\x80\x80"sv,
                       "\xFF"sv,
                       "a\xE2\x82"sv,  // cut short
                       "\xC3"sv,
                       "\xC3("sv,
                       "\xF0\x9F\x98"sv};
  for (const auto text : bad) EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

TEST(Unicode, length_is_counted_in_code_points) {
  EXPECT_EQ(count_code_points(""), 0U);
  EXPECT_EQ(count_code_points("caf\xC3\xA9"), 4U);
  EXPECT_EQ(count_code_points("\xF0\x9F\x98\x80\xF0\x9F\x98\x80"), 2U);
  EXPECT_EQ(count_code_points("a\0b"sv), 3U);
}

TEST(Unicode, P2_composed_and_decomposed_become_one) {
  EXPECT_EQ(to_nfc("cafe\xCC\x81"sv), "caf\xC3\xA9");
  EXPECT_EQ(to_nfc("caf\xC3\xA9"sv), "caf\xC3\xA9");
  EXPECT_EQ(to_nfc("\xE2\x84\xAB"sv), "\xC3\x85");                              // ANGSTROM SIGN
  EXPECT_EQ(to_nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB"sv), "\xED\x95\x9C");  // Hangul
  EXPECT_EQ(to_nfc("q\xCC\x87\xCC\xA3"sv), "q\xCC\xA3\xCC\x87");                // marks in canonical order
  EXPECT_EQ(to_nfc("\xE0\xA5\x98"sv), "\xE0\xA4\x95\xE0\xA4\xBC");  // a composition exclusion grows
  EXPECT_EQ(to_nfc("\xEF\xAC\x81"sv), "\xEF\xAC\x81");  // a ligature is not taken apart: NFC, not NFKC
  EXPECT_EQ(to_nfc("a\0b"sv), "a\0b"sv);                // NUL-safe (P3)
  EXPECT_EQ(to_nfc(""sv), "");
  EXPECT_EQ(to_nfc("\xC3"sv), std::nullopt);
}

TEST(Unicode, P2_a_secret_is_normalized_alike) {
  EXPECT_EQ(to_nfc(Secret{"cafe\xCC\x81"})->text(), "caf\xC3\xA9");
  EXPECT_TRUE(to_nfc(Secret{})->empty());
  EXPECT_FALSE(to_nfc(Secret{"\xFF"}).has_value());
}

TEST(Unicode, control_characters_are_found) {
  for (const auto text :
       {"\0"sv, "a\nb"sv, "\x7F"sv, "\x1B[0m"sv, "\xC2\x85"sv, "\xE2\x80\xA8"sv, "\xE2\x80\xA9"sv}) {
    EXPECT_TRUE(has_control_character(text)) << testing::PrintToString(text);
  }
  EXPECT_FALSE(has_control_character("Zo\xC3\xAB O'Hara-\xE5\xB1\xB1\xE7\x94\xB0 \xF0\x9F\x98\x80"));
}

TEST(Unicode, storable_text_is_utf8_without_nul_and_within_its_bound) {
  EXPECT_EQ(to_storable_text("Zo\u00eb", 100), "Zo\u00eb");
  EXPECT_EQ(to_storable_text(std::string_view{"a\0b\xff\xc3", 5}, 100), "a\ufffdb\ufffd\ufffd");
  EXPECT_EQ(to_storable_text("ab\u00eb", 3), "ab");
  EXPECT_EQ(to_storable_text("", 3), "");
}

TEST(Unicode, hidden_characters_are_found_and_left_out) {
  for (const auto text :
       {"a\tb"sv, "a\x7f"sv, "a\u0085"sv, "a\u2028"sv, "a\u202e"sv, "a\u200b"sv, "\u00ad"sv})
    EXPECT_TRUE(has_hidden_character(text)) << testing::PrintToString(text);
  EXPECT_FALSE(has_hidden_character("Größe & Söhne <AG>\u00a0\U0001f600"));
  EXPECT_EQ(to_one_line("a\r\nb\u0085c\u2028d\u202e\u200be\x7f"), "a  b c de ");
  EXPECT_EQ(to_one_line("a\xff\xc3"), "a\ufffd\ufffd");
  EXPECT_EQ(to_one_line("Größe"), "Größe");
}

TEST(Unicode, names_are_told_from_what_is_more) {
  for (const auto name : {"Ada"sv, "Dr. Ünal O'Neil-García Jr."sv, "J. R. R. Tolkien"sv, "Дмитрий Иванович"sv,
                          "李小龍"sv, "محمد"sv, "e\u0301a"sv, "-"sv})
    EXPECT_TRUE(is_made_of_names(name, 4)) << name;
  for (const auto text : {""sv, " "sv, "."sv, "a.b"sv, "win.example"sv, "Ada 2"sv, "a.."sv, "a@b"sv,
                          "one two three four five"sv, "a\u202eb"sv, "a\u3002b"sv, "a,"sv, "a\nb"sv,
                          "a\xff"sv, "$"sv, "a/b"sv, "a:b"sv, "\u2460"sv})
    EXPECT_FALSE(is_made_of_names(text, 4)) << text;
}

}  // namespace
}  // namespace keyward::text
