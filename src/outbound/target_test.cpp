#include "outbound/target.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace keyward::outbound {
namespace {

TEST(Target, has_the_parts_of_the_url) {
  struct Row {
    const char* url;
    bool tls;
    const char* host;
    std::uint16_t port;
    const char* path_and_query;
    const char* origin;
  };
  for (const auto& row : {
           Row{"https://login.example.com", true, "login.example.com", 443, "/", "https://login.example.com"},
           Row{"HTTPS://Login.Example.COM/a/b?c=d&e=%20", true, "login.example.com", 443, "/a/b?c=d&e=%20",
               "https://login.example.com"},
           Row{"https://a:8443?x", true, "a", 8443, "/?x", "https://a:8443"},
           Row{"https://a:443/", true, "a", 443, "/", "https://a"},
           Row{"http://127.0.0.1:8080/x", false, "127.0.0.1", 8080, "/x", "http://127.0.0.1:8080"},
           Row{"http://localhost/", false, "localhost", 80, "/", "http://localhost"},
           Row{"https://[2001:DB8:0::1]/", true, "2001:db8::1", 443, "/", "https://[2001:db8::1]"},
           Row{"https://[::1]:8443/", true, "::1", 8443, "/", "https://[::1]:8443"},
           Row{"https://xn--bcher-kva.example/", true, "xn--bcher-kva.example", 443, "/",
               "https://xn--bcher-kva.example"},
           Row{"https://1und1.de/", true, "1und1.de", 443, "/", "https://1und1.de"},
       }) {
    const auto target = parse_target(row.url);
    ASSERT_TRUE(target) << row.url;
    EXPECT_EQ(target->tls, row.tls) << row.url;
    EXPECT_EQ(target->host, row.host);
    EXPECT_EQ(target->port, row.port);
    EXPECT_EQ(target->path_and_query, row.path_and_query);
    EXPECT_EQ(target->origin, row.origin);
  }
}

TEST(Target, F7_a_url_that_could_be_read_in_two_ways_is_refused) {
  using namespace std::string_view_literals;
  for (const auto url : {
           ""sv,
           "login.example.com"sv,
           "//login.example.com"sv,
           "ftp://a/"sv,
           "https:a"sv,
           "https:/a"sv,
           "https://"sv,
           "https:///path"sv,
           "https://:443/"sv,
           "https://user@a/"sv,
           "https://user:password@a/"sv,
           "https://a@127.0.0.1/"sv,
           "https://a/#fragment"sv,
           "https://a\\@b/"sv,
           "https://a\\b"sv,
           "https://a b/"sv,
           " https://a/"sv,
           "https://a/\r\nHost: b"sv,
           "https://a/ b"sv,
           "https://a/\0"sv,
           "https://a/<"sv,
           "https://a/ä"sv,
           "https://ä.example/"sv,
           "https://a/%"sv,
           "https://a/%4"sv,
           "https://a/%4g"sv,
           "https://a%2e/"sv,
           "https://a_b/"sv,
           "https://-a/"sv,
           "https://a-/"sv,
           "https://a..b/"sv,
           "https://.a/"sv,
           "https://localhost./"sv,
           "https://a:/"sv,
           "https://a:0/"sv,
           "https://a:65536/"sv,
           "https://a:-1/"sv,
           "https://a:+1/"sv,
           "https://a:80:80/"sv,
           "https://::1/"sv,
           "https://[::1/"sv,
           "https://[::1]x/"sv,
           "https://[::1]:/"sv,
           "https://[]/"sv,
           "https://[127.0.0.1]/"sv,
           "https://[fe80::1%25eth0]/"sv,
           "https://[fe80::1%eth0]/"sv,
       }) {
    EXPECT_FALSE(parse_target(url)) << url;
  }
}

TEST(Target, F7_odd_spellings_of_addresses_are_refused) {
  for (const auto* host :
       {"0x7f.1", "0x7f000001", "0X7F.0.0.1", "2130706433", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01",
        "127.0.0.1.", "127.0.0.0x1", "256.0.0.1", "1.2.3.4.5", "a.1", "a.0x1", "a.0x", "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]", "[::ffff:8.8.8.8]"}) {
    EXPECT_FALSE(parse_target("https://" + std::string{host} + "/")) << host;
  }
}

TEST(Target, lengths_have_limits) {
  const std::string base = "https://a/";
  EXPECT_TRUE(parse_target(base + std::string(limits::outbound_url_max_bytes - base.size(), 'a')));
  EXPECT_FALSE(parse_target(base + std::string(limits::outbound_url_max_bytes - base.size() + 1, 'a')));
  EXPECT_TRUE(parse_target("https://" + std::string(63, 'a') + "/"));
  EXPECT_FALSE(parse_target("https://" + std::string(64, 'a') + "/"));
  std::string long_name;
  while (long_name.size() < 252) long_name += "a.";
  EXPECT_TRUE(parse_target("https://" + long_name + "a/"));
  EXPECT_FALSE(parse_target("https://" + long_name + "aa/"));
}

}  // namespace
}  // namespace keyward::outbound
