#include "app/config/redis_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/sharing.hpp"

namespace keyward::app {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Flags = std::map<std::string, std::string, std::less<>>;

std::vector<std::string> errors_of(Flags flags) {
  std::vector<std::string> texts;
  const auto config = load_config({.file = {}, .environment = {}, .flags = std::move(flags)});
  if (config) return texts;
  for (const auto& error : config.error()) texts.push_back(to_text(error));
  return texts;
}

Config config_of(Flags flags) {
  return load_config({.file = {}, .environment = {}, .flags = std::move(flags)}).value();
}

TEST(RedisCheck, L2_what_is_wrong_is_told_without_the_url) {
  EXPECT_THAT(errors_of({{"redis.url", "redis://:c4nary@cache:0"}}),
              ElementsAre(AllOf(StartsWith("redis.url"), HasSubstr("port"), Not(HasSubstr("c4nary")))));
  EXPECT_THAT(errors_of({{"limits.store", "redis"}}),
              ElementsAre(AllOf(StartsWith("limits.store"), HasSubstr("redis.url"))));
  EXPECT_THAT(errors_of({{"redis.url", "redis://localhost"}, {"redis.ca_file", "/ca.pem"}}),
              ElementsAre(AllOf(StartsWith("redis.ca_file"), HasSubstr("rediss://"))));
}

TEST(RedisCheck, a_password_in_clear_on_a_network_is_warned_of) {
  EXPECT_THAT(config_of({{"redis.url", "redis://:pw@cache.example"}}).warnings,
              Contains(HasSubstr("redis.url goes over the network in clear")));
  EXPECT_THAT(config_of({{"redis.url", "rediss://:pw@cache.example"}}).warnings, IsEmpty());
  EXPECT_THAT(config_of({{"redis.url", "redis://:pw@localhost"}}).warnings, IsEmpty());
}

TEST(RedisCheck, where_limits_are_counted_follows_from_what_there_is) {
  EXPECT_EQ(limits_store(config_of({})), "memory");
  EXPECT_EQ(limits_store(config_of({{"storage.url", "postgres://db/keyward?sslmode=verify-full"}})),
            "database");
  EXPECT_EQ(limits_store(config_of({{"redis.url", "redis://localhost"}})), "redis");
  EXPECT_EQ(limits_store(config_of({{"redis.url", "redis://localhost"}, {"limits.store", "memory"}})),
            "memory");
}

}  // namespace
}  // namespace keyward::app
