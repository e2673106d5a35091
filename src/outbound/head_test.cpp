#include "outbound/head.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace keyward::outbound {
namespace {

using std::chrono::seconds;

std::string written(const Request& request) {
  const auto bytes = write_request(parse_target(request.url).value(), request);
  return bytes ? std::string{bytes->text()} : std::string{to_word(bytes.error().refusal)};
}

TEST(RequestHead, a_get) {
  EXPECT_EQ(written({.url = "https://login.example.com:8443/keys?v=1"}),
            "GET /keys?v=1 HTTP/1.1\r\nHost: login.example.com:8443\r\nUser-Agent: Keyward\r\n"
            "Accept: application/json\r\n\r\n");
}

TEST(RequestHead, a_post_with_a_form_and_fields) {
  EXPECT_EQ(written({.url = "https://[2001:db8::1]/token",
                     .fields = {{"Authorization", "Basic eDp5"}, {"Accept", "text/plain"}},
                     .form = "a=b&c=d"}),
            "POST /token HTTP/1.1\r\nHost: [2001:db8::1]\r\nUser-Agent: Keyward\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n"
            "Authorization: Basic eDp5\r\nAccept: text/plain\r\n\r\na=b&c=d");
}

TEST(RequestHead, H1_a_field_cannot_begin_another_one) {
  using namespace std::string_literals;
  for (const auto& value : {"a\r\nX: y"s, "a\nb"s, "a\rb"s, "a\0b"s, "a\x7f"s, "ä"s})
    EXPECT_EQ(written({.url = "https://a/", .fields = {{"X", value}}}), "bad_url");
  for (const auto& name : {""s, "X:"s, "X Y"s, "X\r\n"s, "Ä"s})
    EXPECT_EQ(written({.url = "https://a/", .fields = {{name, "a"}}}), "bad_url");
  for (const auto& name :
       {"Host"s, "host"s, "Content-Length"s, "Transfer-Encoding"s, "Connection"s, "Accept-Encoding"s})
    EXPECT_EQ(written({.url = "https://a/", .fields = {{name, "a"}}}), "bad_url");
}

TEST(RequestHead, sizes_have_limits) {
  EXPECT_EQ(written({.url = "https://a/", .form = std::string(limits::outbound_body_max_bytes + 1, 'a')}),
            "too_large");
  EXPECT_EQ(
      written({.url = "https://a/", .fields = {{"X", std::string(limits::outbound_head_max_bytes, 'a')}}}),
      "too_large");
}

TEST(AnswerHead, media_types) {
  EXPECT_EQ(media_type_of("Application/JSON; charset=utf-8"), "application/json");
  EXPECT_EQ(media_type_of(" text/html "), "text/html");
  EXPECT_EQ(media_type_of(""), "");
  const std::vector<std::string> json{"application/json"};
  EXPECT_TRUE(is_taken("application/json", json));
  EXPECT_TRUE(is_taken("application/jwk-set+json", json));
  EXPECT_FALSE(is_taken("text/json+json", json));
  EXPECT_FALSE(is_taken("application/jsonp", json));
  EXPECT_FALSE(is_taken("text/html", json));
  EXPECT_FALSE(is_taken("", json));
  const std::vector<std::string> image{"image/png", "image/jpeg"};
  EXPECT_TRUE(is_taken("image/jpeg", image));
  EXPECT_FALSE(is_taken("image/svg+json", image));
}

TEST(AnswerHead, freshness) {
  const auto read = [](std::initializer_list<std::string_view> fields) {
    std::optional<seconds> age;
    for (const auto field : fields) read_cache_control(field, age);
    return age;
  };
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(read({"public"}), std::nullopt);
  EXPECT_EQ(read({"public, max-age=300, must-revalidate"}), seconds{300});
  EXPECT_EQ(read({"Max-Age = \"60\""}), seconds{60});
  EXPECT_EQ(read({"max-age=300", "max-age=200"}), seconds{200});
  EXPECT_EQ(read({"no-store"}), seconds{0});
  EXPECT_EQ(read({"max-age=300, no-cache"}), seconds{0});
  EXPECT_EQ(read({"max-age=x"}), seconds{0});
  EXPECT_EQ(read({"max-age=-1"}), seconds{0});
  EXPECT_EQ(read({"s-maxage=5, x-max-age=5"}), std::nullopt);
  EXPECT_GT(read({"max-age=99999999999999999999"}), seconds{1'000'000});
  EXPECT_EQ(read_age("17"), seconds{17});
  EXPECT_EQ(read_age("soon"), seconds{0});
}

}  // namespace
}  // namespace keyward::outbound
