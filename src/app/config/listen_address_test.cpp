#include "app/config/listen_address.hpp"

#include <gtest/gtest.h>

namespace keyward::app {
namespace {

TEST(ListenAddress, reads_what_it_allows) {
  const auto read = [](std::string_view text) { return to_text(parse_listen_address(text).value()); };
  EXPECT_EQ(read("127.0.0.1:8080"), "127.0.0.1:8080");
  EXPECT_EQ(read("0.0.0.0:0"), "0.0.0.0:0");
  EXPECT_EQ(read("[::1]:8080"), "[::1]:8080");
  EXPECT_EQ(read("[::]:65535"), "[::]:65535");
  EXPECT_EQ(read(":80"), "0.0.0.0:80");
  EXPECT_EQ(read("localhost:1"), "127.0.0.1:1");
}

TEST(ListenAddress, refuses_the_rest) {
  for (const char* text :
       {"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
        "::1:8080", "[::1]", "[::1]8080", "[127.0.0.1]:80", "[::1:80", "example.com:80", "1.2.3:80",
        "127.0.0.1:80:80", "[::1]:80x", "http://127.0.0.1:80"}) {
    EXPECT_FALSE(parse_listen_address(text).has_value()) << text;
  }
  for (const std::string_view host : {"127.0.0.1", "[::1]"}) {
    std::string with_nul{host};
    with_nul.insert(with_nul.size() - 1, 1, '\0');
    EXPECT_FALSE(parse_listen_address(with_nul + ":80").has_value()) << host;
  }
}

TEST(PublicUrl, is_an_origin_in_one_spelling) {
  const auto read = [](std::string_view text) { return parse_public_url(text).value(); };
  EXPECT_EQ(read("https://id.example.com"), "https://id.example.com");
  EXPECT_EQ(read("HTTPS://Id.Example.COM:443/"), "https://id.example.com");
  EXPECT_EQ(read("http://localhost:80"), "http://localhost");
  EXPECT_EQ(read("https://id.example.com:8443"), "https://id.example.com:8443");
  EXPECT_EQ(read("http://[::1]:8080"), "http://[::1]:8080");
}

TEST(PublicUrl, refuses_what_is_no_origin) {
  for (const char* text : {"",
                           "id.example.com",
                           "ftp://id.example.com",
                           "https://",
                           "https:///",
                           "https://a/b",
                           "https://a//",
                           "https://a?x",
                           "https://a#x",
                           "https://u@a",
                           "https://u:p@a",
                           "https://a:0",
                           "https://a:x",
                           "https://a b",
                           "https://a_b",
                           "https://-a",
                           "https://a..b",
                           "https://a.",
                           "https://ä.example",
                           "https://a\\b",
                           "javascript://a",
                           "https://[::1",
                           "https://[a]"}) {
    EXPECT_FALSE(parse_public_url(text).has_value()) << text;
  }
}

TEST(PublicUrl, follows_the_listen_address_when_not_set) {
  EXPECT_EQ(public_url_of({"127.0.0.1", 8080}, false), "http://127.0.0.1:8080");
  EXPECT_EQ(public_url_of({"::1", 80}, false), "http://[::1]");
  EXPECT_EQ(public_url_of({"0.0.0.0", 9000}, false), "http://localhost:9000");
  EXPECT_EQ(public_url_of({"::", 443}, true), "https://localhost");
  EXPECT_EQ(public_url_of({"127.0.0.1", 80}, true), "https://127.0.0.1:80");
}

TEST(PublicUrl, in_clear_text_is_fine_on_this_machine_only) {
  EXPECT_TRUE(is_clear_text_url("http://id.example.com"));
  EXPECT_TRUE(is_clear_text_url("http://127.0.0.1.example.com"));
  EXPECT_FALSE(is_clear_text_url("https://id.example.com"));
  for (const char* url :
       {"http://localhost:8080", "http://127.0.0.2", "http://[::1]:80", "http://app.localhost"}) {
    EXPECT_FALSE(is_clear_text_url(url)) << url;
  }
}

}  // namespace
}  // namespace keyward::app
