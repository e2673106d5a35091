#include "web/client_address.hpp"

#include <gtest/gtest.h>

namespace keyward::web {
namespace {

struct Case {
  std::string_view peer;
  std::vector<std::string_view> forwarded_for;
  std::string_view expected;
};

std::string address_of(const Case& given, const TrustedProxies& proxies) {
  std::vector<Header> headers{{"Host", "a"}};
  for (const auto value : given.forwarded_for) headers.push_back({"x-forwarded-FOR", value});
  headers.push_back({"Forwarded", "for=198.51.100.66"});
  headers.push_back({"X-Real-IP", "198.51.100.66"});
  return client_address(given.peer, headers, proxies);
}

TEST(ClientAddress, A4_only_a_listed_proxy_is_believed) {
  const auto proxies = TrustedProxies::parse("10.0.0.0/8, 127.0.0.1 ,fd00::/8").value();
  const std::vector<Case> cases{
      // From whom is not listed, nothing is believed.
      {"203.0.113.5", {"198.51.100.1"}, "203.0.113.5"},
      {"2001:db8::5", {"198.51.100.1"}, "2001:db8::5"},
      // A proxy's word, and no word.
      {"127.0.0.1", {}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"2001:DB8::1"}, "2001:db8::1"},
      {"127.0.0.1", {"::ffff:198.51.100.1"}, "198.51.100.1"},
      {"fd00::1", {"198.51.100.1:4711"}, "198.51.100.1"},
      {"fd00::1", {"[2001:db8::1]:4711"}, "2001:db8::1"},
      {"fd00::1", {"[2001:db8::1]"}, "2001:db8::1"},
      // What the client wrote stands left of what the proxy added.
      {"127.0.0.1", {"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"1.1.1.1", "198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"10.0.0.9, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
      {"127.0.0.1", {"198.51.100.1, 10.0.0.3", "10.0.0.2"}, "198.51.100.1"},
      // All of them ours: the one furthest away.
      {"127.0.0.1", {"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
      // What cannot be read is nobody: the nearest known proxy answers for it, and reading stops.
      {"127.0.0.1", {"a"}, "127.0.0.1"},
      {"127.0.0.1", {""}, "127.0.0.1"},
      {"127.0.0.1", {","}, "127.0.0.1"},
      {"127.0.0.1", {"unknown"}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1, a"}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1, a, 10.0.0.2"}, "10.0.0.2"},
      {"127.0.0.1", {"198.51.100.1:"}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1:http"}, "127.0.0.1"},
      {"127.0.0.1", {"[2001:db8::1"}, "127.0.0.1"},
      {"127.0.0.1", {"[2001:db8::1]x"}, "127.0.0.1"},
      {"127.0.0.1", {"fe80::1%eth0"}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.01"}, "127.0.0.1"},
      {"fe80::1%eth0", {"198.51.100.1"}, "fe80::1%eth0"},
  };
  for (const auto& given : cases) {
    EXPECT_EQ(address_of(given, proxies), given.expected)
        << given.peer << " | " << (given.forwarded_for.empty() ? "" : given.forwarded_for.front());
  }
}

TEST(ClientAddress, A4_hundreds_of_hops_are_not_walked) {
  const auto proxies = TrustedProxies::parse("10.0.0.0/8").value();
  std::string hops = "198.51.100.1";
  for (int i = 0; i < 200; ++i) hops += ", 10.0.0." + std::to_string(i);
  EXPECT_EQ(address_of(Case{"10.1.1.1", {hops}}, proxies), "10.0.0.168");
  EXPECT_EQ(address_of(Case{"203.0.113.5", {hops}}, proxies), "203.0.113.5");
}

struct ForwardedCase {
  std::string_view peer;
  std::vector<std::string_view> lines;
  std::string_view expected;
};

std::string address_of(const ForwardedCase& given, const TrustedProxies& proxies) {
  std::vector<Header> headers{{"X-Forwarded-For", "198.51.100.66"}};
  for (const auto value : given.lines) headers.push_back({"forwarded", value});
  return client_address(given.peer, headers, proxies, ProxyHeader::forwarded);
}

TEST(ClientAddress, A4_forwarded_is_read_as_rfc_7239_has_it) {
  const auto proxies = TrustedProxies::parse("10.0.0.0/8, 127.0.0.1 ,fd00::/8").value();
  const std::vector<ForwardedCase> cases{
      {"203.0.113.5", {"for=198.51.100.1"}, "203.0.113.5"},
      {"127.0.0.1", {}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"For=\"198.51.100.1\""}, "198.51.100.1"},
      {"127.0.0.1", {"for=\"198.51.100.1:4711\""}, "198.51.100.1"},
      {"127.0.0.1", {"for=\"198.51.100.1:_gate\""}, "198.51.100.1"},
      {"127.0.0.1", {"for=\"[2001:DB8::1]:4711\""}, "2001:db8::1"},
      {"127.0.0.1", {"for=\"[2001:db8::1]\""}, "2001:db8::1"},
      {"127.0.0.1", {"for=\"[::ffff:198.51.100.1]\""}, "198.51.100.1"},
      {"127.0.0.1", {"proto=https;for=198.51.100.1;by=10.0.0.1"}, "198.51.100.1"},
      {"127.0.0.1", {"for=198.51.100.1; proto=https ;host=\"a;b,c\""}, "198.51.100.1"},
      {"127.0.0.1", {"for=\"198.51\\.100.1\""}, "198.51.100.1"},
      // The client's own words stand further left.
      {"127.0.0.1", {"for=1.1.1.1, for=198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"for=1.1.1.1", "for=198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"for=1.1.1.1;secret=\",for=2.2.2.2\",for=198.51.100.1"}, "198.51.100.1"},
      {"127.0.0.1", {"for=198.51.100.1,for=10.0.0.3", "for=10.0.0.2"}, "198.51.100.1"},
      {"127.0.0.1", {"for=10.0.0.3,for=10.0.0.2"}, "10.0.0.3"},
      {"127.0.0.1", {"for=\"junk", "for=198.51.100.1, for=10.0.0.2"}, "198.51.100.1"},
      {"127.0.0.1", {"for=198.51.100.1", "for=\"junk"}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1", "for=\"junk", "for=10.0.0.2"}, "10.0.0.2"},
      // Nobody, or nothing that can be read: the nearest known proxy answers for it.
      {"127.0.0.1", {"for=unknown"}, "127.0.0.1"},
      {"127.0.0.1", {"for=_hidden"}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1, for=unknown, for=10.0.0.2"}, "10.0.0.2"},
      {"127.0.0.1", {"for=198.51.100.1, proto=https"}, "127.0.0.1"},
      {"127.0.0.1", {""}, "127.0.0.1"},
      {"127.0.0.1", {","}, "127.0.0.1"},
      {"127.0.0.1", {"198.51.100.1"}, "127.0.0.1"},
      {"127.0.0.1", {"for"}, "127.0.0.1"},
      {"127.0.0.1", {"for="}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1:4711"}, "127.0.0.1"},  // a port stands in quotes
      {"127.0.0.1", {"for=[2001:db8::1]"}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"2001:db8::1\""}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"198.51.100.1"}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"198.51.100.1\\"}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1;for=198.51.100.2"}, "127.0.0.1"},
      {"127.0.0.1", {"for=198.51.100.1 for=198.51.100.2"}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"junk, for=198.51.100.1"}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"[198.51.100.1]\""}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"[2001:db8::1]4711\""}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"198.51.100.1:\""}, "127.0.0.1"},
      {"127.0.0.1", {"for=\"198.51.100.1:http\""}, "127.0.0.1"},
  };
  for (const auto& given : cases) {
    EXPECT_EQ(address_of(given, proxies), given.expected)
        << given.peer << " | " << (given.lines.empty() ? "" : given.lines.front());
  }
}

TEST(ClientAddress, A4_hundreds_of_elements_are_not_walked) {
  const auto proxies = TrustedProxies::parse("10.0.0.0/8").value();
  std::string hops = "for=198.51.100.1";
  for (int i = 0; i < 200; ++i) hops += ", for=10.0.0." + std::to_string(i);
  EXPECT_EQ(address_of(ForwardedCase{"10.1.1.1", {hops}}, proxies), "10.0.0.168");
  EXPECT_EQ(address_of(ForwardedCase{"203.0.113.5", {hops}}, proxies), "203.0.113.5");
  const std::vector<std::string_view> lines(200, "for=10.0.0.7");
  EXPECT_EQ(address_of(ForwardedCase{"10.1.1.1", lines, {}}, proxies), "10.0.0.7");
}

TEST(ClientAddress, a_proxy_that_is_not_listed_is_seen) {
  const auto proxies = TrustedProxies::parse("10.0.0.7").value();
  EXPECT_TRUE(names_a_client(std::vector<Header>{{"Host", "a"}, {"x-forwarded-for", "a"}}));
  EXPECT_TRUE(names_a_client(std::vector<Header>{{"FORWARDED", "for=a"}}));
  EXPECT_FALSE(names_a_client(std::vector<Header>{{"Host", "a"}}));
  for (const auto* const peer : {"127.0.0.1", "10.0.0.8", "172.31.0.1", "192.168.1.1", "::1", "fd00::1"}) {
    EXPECT_TRUE(is_unlisted_proxy(peer, proxies)) << peer;
  }
  for (const auto* const peer : {"10.0.0.7", "203.0.113.5", "172.32.0.1", "2001:db8::1", "fe80::1%eth0"}) {
    EXPECT_FALSE(is_unlisted_proxy(peer, proxies)) << peer;
  }
}

TEST(ClientAddress, A3_without_proxies_no_header_counts) {
  EXPECT_EQ(address_of(Case{"127.0.0.1", {"198.51.100.1"}}, TrustedProxies{}), "127.0.0.1");
}

TEST(TrustedProxies, A4_slips_and_everybody_are_refused) {
  EXPECT_TRUE(TrustedProxies::parse("").value().empty());
  EXPECT_TRUE(TrustedProxies::parse("  ").value().empty());
  EXPECT_FALSE(TrustedProxies::parse("10.0.0.0/8").value().empty());
  for (const std::string_view text :
       {",", "10.0.0.0/8,", "10.0.0.0/8;fd00::/8", "localhost", "10.0.0.1/8", "0.0.0.0/0", "::/0", "*"}) {
    EXPECT_FALSE(TrustedProxies::parse(text)) << text;
  }
}

}  // namespace
}  // namespace keyward::web
