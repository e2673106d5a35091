#include "text/email.hpp"

#include <gtest/gtest.h>

#include <array>

namespace keyward::text {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Accepted {
  std::string_view typed;
  std::string_view normalized;
};

TEST(Email, accepted_and_their_comparison_keys) {
  const std::array table{
      Accepted{"alice@example.com", "alice@example.com"},
      Accepted{"Alice.Smith+Tag@EXAMPLE.Com", "alice.smith+tag@example.com"},
      Accepted{"o'hara!#$%&*/=?^_`{|}~-@a-b.co.uk", "o'hara!#$%&*/=?^_`{|}~-@a-b.co.uk"},
      Accepted{"x@1.com", "x@1.com"},
      Accepted{"x@A--B.Example", "x@a--b.example"},
      Accepted{"x@b\xC3\xBC"
               "cher.example",
               "x@xn--bcher-kva.example"},
      Accepted{"x@B\xC3\x9C"
               "CHER.example",
               "x@xn--bcher-kva.example"},
      Accepted{"x@bu\xCC\x88"
               "cher.example",
               "x@xn--bcher-kva.example"},
      Accepted{"x@XN--BCHER-KVA.example", "x@xn--bcher-kva.example"},
      Accepted{"x@fa\xC3\x9F.de", "x@xn--fa-hia.de"},  // non-transitional: not fass.de
      Accepted{"x@example\xE3\x80\x82"
               "com",
               "x@example.com"},  // IDEOGRAPHIC FULL STOP
      Accepted{"JOS\xC3\x89@example.com", "jos\xC3\xA9@example.com"},
      Accepted{"jose\xCC\x81@example.com", "jos\xC3\xA9@example.com"},
      Accepted{"stra\xC3\x9F"
               "e@example.com",
               "strasse@example.com"},  // full folding
      Accepted{"\xE2\x84\xAA"
               "ate@example.com",
               "kate@example.com"},  // KELVIN SIGN
      Accepted{"\xE5\xB1\xB1\xE7\x94\xB0@\xE4\xBE\x8B\xE3\x81\x88.jp",
               "\xE5\xB1\xB1\xE7\x94\xB0@xn--r8jz45g.jp"},
  };
  for (const auto& row : table) {
    const auto parsed = parse_email(row.typed);
    ASSERT_TRUE(parsed.has_value()) << row.typed << ": " << parsed.error().message;
    EXPECT_EQ(parsed->normalized, row.normalized);
    EXPECT_EQ(parsed->as_typed, row.typed);
    // The key is its own key, or an address could be found under two.
    const auto again = parse_email(parsed->normalized);
    ASSERT_TRUE(again.has_value()) << parsed->normalized;
    EXPECT_EQ(again->normalized, parsed->normalized);
  }
}

TEST(Email, white_space_around_it_is_trimmed) {
  const auto parsed = parse_email(" \tAlice@Example.com\r\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->as_typed, "Alice@Example.com");
}

TEST(Email, refused) {
  const std::array table{
      ""s,
      "  "s,
      "alice"s,
      "@example.com"s,
      "alice@"s,
      "alice@example"s,
      "alice@localhost"s,
      "a@b@example.com"s,
      "alice@example.com."s,
      "alice@.example.com"s,
      "alice@example..com"s,
      "alice@ab--cd.example"s,
      "alice@xn--a.example"s,  // says to be Punycode, and is none
      ".alice@example.com"s,
      "alice.@example.com"s,
      "al..ice@example.com"s,
      "al ice@example.com"s,
      "\"al ice\"@example.com"s,
      "alice@[127.0.0.1]"s,
      "alice@127.0.0.1"s,
      "alice@exam_ple.com"s,
      "alice@-example.com"s,
      "alice@example-.com"s,
      "Alice <alice@example.com>"s,
      "alice(comment)@example.com"s,
      "alice@exa mple.com"s,
      "a,b@example.com"s,
      "alice\n@example.com"s,
      "alice@example.com\nBcc: all@example.com"s,
      "alice@example.com%00"s,
      "al\0ice@example.com"s,
      "alice@example.com\0.evil.com"s,
      "alice@exam\0ple.com"s,
      "alice\xFF@example.com"s,
      "alice@\xC3.com"s,
      "al\xE2\x80\x8Bice@example.com"s,  // ZERO WIDTH SPACE
      "al\xE2\x80\xAEice@example.com"s,  // RIGHT-TO-LEFT OVERRIDE
      "alice@exam\xC2\xADple.com"s,      // SOFT HYPHEN
      "alice@xn--a.com"s,
      "alice@xn--bcher-2pa.example"s,  // not Punycode; Punycode of B-U-UMLAUT in upper case
      "alice@example.com/x"s,
      "alice@ex\xE2\x88\x95"
      "ample.com:443"s,
      "alice@" + std::string(64, 'a') + ".com",
      std::string(65, 'a') + "@example.com",
      "a@" + std::string(60, 'b') + "." + std::string(60, 'b') + "." + std::string(60, 'b') + "." +
          std::string(60, 'b') + "." + std::string(60, 'b') + ".com"};
  for (const auto& text : table) {
    const auto parsed = parse_email(text);
    ASSERT_FALSE(parsed.has_value()) << testing::PrintToString(text) << " became " << parsed->normalized;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_input);
    EXPECT_FALSE(parsed.error().message.empty());
  }
}

TEST(Email, lengths_at_their_bounds) {
  EXPECT_TRUE(parse_email(std::string(64, 'a') + "@example.com").has_value());
  const std::string domain =
      std::string(63, 'b') + "." + std::string(63, 'b') + "." + std::string(57, 'b') + ".com";
  ASSERT_EQ(domain.size(), 189U);
  EXPECT_TRUE(parse_email(std::string(64, 'a') + "@" + domain).has_value());    // 254
  EXPECT_FALSE(parse_email(std::string(64, 'a') + "@b" + domain).has_value());  // 255
}

}  // namespace
}  // namespace keyward::text
