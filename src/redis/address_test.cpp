#include "redis/address.hpp"

#include <gtest/gtest.h>

namespace keyward::redis {
namespace {

TEST(RedisAddress, a_url_says_where_and_as_whom) {
  const auto whole = parse_url("redis://ada:p%40ss%2Fword@cache.example:6380/3").value();
  EXPECT_EQ(whole.host, "cache.example");
  EXPECT_EQ(whole.port, 6380);
  EXPECT_EQ(whole.user, "ada");
  EXPECT_EQ(whole.password.text(), "p@ss/word");
  EXPECT_EQ(whole.database, 3);
  EXPECT_FALSE(whole.tls);

  const auto least = parse_url("redis://localhost").value();
  EXPECT_EQ(least.port, 6379);
  EXPECT_TRUE(least.password.empty());
  EXPECT_TRUE(parse_url("rediss://:secret@cache.example").value().tls);
  EXPECT_EQ(parse_url("redis://[::1]:7000").value().host, "::1");
  EXPECT_EQ(to_text(parse_url("redis://[::1]").value()), "[::1]:6379");

  const auto socket = parse_url("unix:///run/redis/redis.sock?db=2").value();
  EXPECT_EQ(socket.socket_path, "/run/redis/redis.sock");
  EXPECT_EQ(socket.database, 2);
  const auto with_user = parse_url("unix://ada:secret@/run/r.sock").value();
  EXPECT_EQ(with_user.socket_path, "/run/r.sock");
  EXPECT_EQ(with_user.password.text(), "secret");
}

TEST(RedisAddress, what_is_no_url_is_refused_without_repeating_it) {
  for (const std::string_view bad :
       {"", "redis:", "redis://", "http://host", "redis://host:port", "redis://host:0", "redis://host:65536",
        "redis://host/x", "redis://host/-1", "redis://c4nary@host", "redis://a:c4nary%zz@host",
        "redis://a:c4nary%0a@host", "redis://[::1", "redis://[c4nary]", "redis://host c4nary",
        "unix://c4nary", "unix:///", "redis://:c4nary@"}) {
    const auto parsed = parse_url(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().message.find("c4nary"), std::string::npos) << bad;
  }
}

TEST(RedisAddress, L2_a_password_is_not_shown) {
  EXPECT_EQ(shown_url("redis://ada:c4nary@cache.example/1"), "redis://ada:********@cache.example/1");
  EXPECT_EQ(shown_url("redis://:c4nary@cache.example"), "redis://:********@cache.example");
  EXPECT_EQ(shown_url("redis://cache.example:6380"), "redis://cache.example:6380");
}

TEST(RedisAddress, in_clear_is_what_leaves_the_machine_without_tls) {
  EXPECT_TRUE(is_in_clear(parse_url("redis://cache.example").value()));
  EXPECT_TRUE(is_in_clear(parse_url("redis://10.0.0.1").value()));
  for (const std::string_view safe : {"rediss://cache.example", "redis://127.0.0.1", "redis://localhost",
                                      "redis://[::1]", "unix:///run/r.sock"})
    EXPECT_FALSE(is_in_clear(parse_url(safe).value())) << safe;
}

}  // namespace
}  // namespace keyward::redis
