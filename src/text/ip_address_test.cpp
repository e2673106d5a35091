#include "text/ip_address.hpp"

#include <gtest/gtest.h>

namespace keyward::text {
namespace {

TEST(IpAddress, has_one_spelling) {
  const auto spelled = [](std::string_view text) { return IpAddress::parse(text).value().to_text(); };
  EXPECT_EQ(spelled("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(spelled("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(spelled("::FFFF:c000:0201"), "192.0.2.1");
  EXPECT_EQ(spelled("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
  EXPECT_EQ(spelled("::"), "::");
}

TEST(IpAddress, A4_what_is_none_is_refused) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "a"sv, "1.2.3"sv, "1.2.3.4.5"sv, "01.2.3.4"sv, "256.1.1.1"sv, "1.2.3.4:80"sv, "[::1]"sv,
        "fe80::1%eth0"sv, " 1.2.3.4"sv, "1.2.3.4 "sv, ":::"sv, "1.2.3.4\0"sv, "0x7f.1.1.1"sv, "unknown"sv,
        "_hidden"sv, "2001:db8::1::2"sv, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, a_prefix_keeps_the_first_bits) {
  const auto address = IpAddress::parse("2001:db8:1:2:3:4:5:6").value();
  EXPECT_EQ(address.prefix(64).to_text(), "2001:db8:1:2::");
  EXPECT_EQ(address.prefix(60).to_text(), "2001:db8:1::");
  EXPECT_EQ(address.prefix(128), address);
  EXPECT_EQ(address.prefix(0).to_text(), "::");
}

TEST(IpNetwork, contains_its_addresses) {
  const auto contains = [](std::string_view network, std::string_view address) {
    return IpNetwork::parse(network).value().contains(IpAddress::parse(address).value());
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.2"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.8"));
  EXPECT_TRUE(contains("fd00::/8", "fdab::1"));
  EXPECT_FALSE(contains("fd00::/8", "10.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.0/25", "192.0.2.127"));
  EXPECT_FALSE(contains("192.0.2.0/25", "192.0.2.128"));
}

TEST(IpNetwork, slips_are_told) {
  for (const std::string_view text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "x/8",
                                      "fd00::/129", "10.0.0.1/8", "fd00::1/8", "10.0.0.0/8 "}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
  EXPECT_TRUE(IpNetwork::parse("0.0.0.0/0").value().is_everybody());
  EXPECT_TRUE(IpNetwork::parse("::/0").value().is_everybody());
  EXPECT_FALSE(IpNetwork::parse("10.0.0.0/8").value().is_everybody());
}

}  // namespace
}  // namespace keyward::text
