#include "outbound/public_address.hpp"

#include <gtest/gtest.h>

namespace keyward::outbound {
namespace {

text::IpAddress address(std::string_view text) { return text::IpAddress::parse(text).value(); }

TEST(PublicAddress, F7_special_networks_are_not_public_from_end_to_end) {
  struct Range {
    const char* before;  // public, or null: what is before is special as well
    const char* first;
    const char* last;
    const char* after;
  };
  for (const auto& range : {
           Range{nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
           Range{"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
           Range{"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
           Range{"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
           Range{"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
           Range{"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
           Range{"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
           Range{"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
           Range{"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
           Range{"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
           Range{"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
           Range{"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
           Range{"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
           Range{"223.255.255.255", "224.0.0.0", "239.255.255.255", nullptr},
           Range{nullptr, "240.0.0.0", "255.255.255.255", nullptr},
           Range{nullptr, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
           Range{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                 "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
           Range{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                 "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
           Range{"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                 "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
           Range{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                 "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
           Range{"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                 "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nullptr},
       }) {
    EXPECT_FALSE(is_public(address(range.first))) << range.first;
    EXPECT_FALSE(is_public(address(range.last))) << range.last;
    if (range.before != nullptr) EXPECT_TRUE(is_public(address(range.before))) << range.before;
    if (range.after != nullptr) EXPECT_TRUE(is_public(address(range.after))) << range.after;
  }
}

TEST(PublicAddress, F7_what_leads_to_a_private_address_is_not_public) {
  for (const auto* text : {"::ffff:10.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.169.254",  // mapped
                           "::10.0.0.1",
                           "::8.8.8.8",
                           "::1",
                           "::",  // compatible
                           "64:ff9b::10.0.0.1",
                           "64:ff9b::8.8.8.8",
                           "64:ff9b:1::a00:1",  // NAT64
                           "2002:a00:1::1",
                           "2002:7f00:1::",
                           "2002:808:808::1",  // 6to4
                           "2001:0:a00:1::1",
                           "2001:0:4136:e378:8000:63bf:3fff:fdd2",  // Teredo
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1",
                           "ff0e::1",
                           "100::1",
                           "5f00::1"}) {
    EXPECT_FALSE(is_public(address(text))) << text;
  }
}

TEST(PublicAddress, addresses_of_the_internet_are_public) {
  for (const auto* text : {"8.8.8.8", "::ffff:8.8.8.8", "93.184.215.14", "2001:4860:4860::8888",
                           "2606:4700::1111", "2a00:1450:4001:80b::200e", "2620:4f:8000::1"}) {
    EXPECT_TRUE(is_public(address(text))) << text;
  }
}

TEST(PublicAddress, loopback_is_this_machine) {
  for (const auto* text : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(is_loopback(address(text))) << text;
  for (const auto* text : {"126.255.255.255", "128.0.0.0", "0.0.0.0", "::", "::2", "10.0.0.1"})
    EXPECT_FALSE(is_loopback(address(text))) << text;
}

}  // namespace
}  // namespace keyward::outbound
