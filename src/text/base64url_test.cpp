#include "text/base64url.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyward::text {
namespace {

std::optional<std::string> parse(std::string_view text) {
  const auto bytes = parse_base64url(text);
  if (!bytes) return std::nullopt;
  return std::string{as_text(*bytes)};
}

TEST(Base64url, rfc4648_section_10_without_padding) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(to_base64url(as_bytes(plain)), encoded);
    EXPECT_EQ(parse(encoded), plain);
  }
}

TEST(Base64url, rfc7515_appendix_c) {
  const Bytes bytes{3, 236, 255, 224, 193};
  EXPECT_EQ(to_base64url(bytes), "A-z_4ME");
  EXPECT_EQ(parse_base64url("A-z_4ME"), bytes);
}

TEST(Base64url, every_byte_survives) {
  Bytes bytes;
  for (int round = 0; round < 3; ++round) {
    for (int value = 0; value < 256; ++value) bytes.push_back(static_cast<std::uint8_t>(value));
    bytes.push_back(7);
    EXPECT_EQ(parse_base64url(to_base64url(bytes)), bytes);
  }
}

TEST(Base64url, J10_anything_but_the_one_spelling_is_refused) {
  for (const std::string_view text :
       {"Zg==", "Zg=", "Zm8=", "Zm9v=", "A+z_", "A-z/", "Zm9v ", " Zm9v", "Zm\n9v", "Zm9v\n", "Zm9v\t",
        "Zm9v.", "Z", "Zm9vY", "Zm9v\xc3\xa9", "Zm9*"}) {
    EXPECT_EQ(parse_base64url(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_base64url(std::string_view{"Zm\0v", 4}), std::nullopt);
}

TEST(Base64url, J10_slack_bits_that_are_not_zero_are_refused) {
  int accepted = 0;
  for (const char last :
       std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}) {
    accepted += parse_base64url(std::string{"Z"} + last).has_value() ? 1 : 0;
  }
  EXPECT_EQ(accepted, 4);  // two digits are 12 bits for one byte: 4 of them must be zero
  EXPECT_TRUE(parse_base64url("Zg"));
  EXPECT_FALSE(parse_base64url("Zh"));
  EXPECT_FALSE(parse_base64url("Zm9"));
}

}  // namespace
}  // namespace keyward::text
