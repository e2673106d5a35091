// Redis is lost, stopped, or comes back empty: nobody gets an attempt more, and a success still clears.
#include <gtest/gtest.h>

#include "domain/limits/limiters_for_tests.hpp"

namespace keyward::domain {
namespace {

using testing::Node;
using testing::TestDatabase;
using testing::wait_until;

constexpr LimitRule five_passwords{.quota = 5, .window = seconds{900}, .is_settled = true};
constexpr LimitRule ten_a_minute{.quota = 10, .window = seconds{60}};
constexpr LimitKey key{1, 2, 3};

/// Two nodes, with a database to fall back to or without.
class LimiterFaults : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() != "memory") database.emplace(GetParam() == "postgres");
    for (auto& node : nodes) {
      node = std::make_unique<Node>(
          Node::Shares{.redis_url = redis.url(), .database = database ? &database->get() : nullptr}, clock);
      if (!database) wait_until([&] { return node->is_listening(); });
    }
  }
  Node& a() { return *nodes[0]; }
  Node& b() { return *nodes[1]; }
  void wait_for_loss() {
    for (auto& node : nodes) wait_until([&] { return !node->is_redis_up(); });
  }
  void wait_for_return() {
    for (auto& node : nodes) wait_until([&] { return node->is_redis_up(); });
  }
  /// What b knows of the key, which was told on its own connection.
  void let_the_news_spread() {
    if (!database) wait_until([&] { return b().shared().key_count(LimitClass::login) == 1; });
  }

  SystemClock clock;
  redis::testing::RedisServer redis;
  std::optional<TestDatabase> database;
  std::array<std::unique_ptr<Node>, 2> nodes;
};

TEST_P(LimiterFaults, H4_five_in_all_before_during_and_after_an_outage) {
  EXPECT_TRUE(a().fail_once(five_passwords, key));
  let_the_news_spread();
  redis.end();
  wait_for_loss();
  EXPECT_TRUE(a().fail_once(five_passwords, key));
  EXPECT_TRUE(a().fail_once(five_passwords, key));
  redis.start();  // empty
  wait_for_return();
  EXPECT_TRUE(b().fail_once(five_passwords, key));
  EXPECT_TRUE(a().fail_once(five_passwords, key));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(a().fail_once(five_passwords, key));
    EXPECT_FALSE(b().fail_once(five_passwords, key));
  }
  redis.end();
  wait_for_loss();
  EXPECT_FALSE(a().fail_once(five_passwords, key));
  EXPECT_FALSE(b().fail_once(five_passwords, key));
  EXPECT_GT(a().shared().fallbacks(), 0U);
}

TEST_P(LimiterFaults, H4_one_node_goes_on_where_the_other_has_counted) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  EXPECT_FALSE(b().fail_once(five_passwords, key));
  redis.end();
  wait_for_loss();
  EXPECT_FALSE(b().fail_once(five_passwords, key));
}

TEST_P(LimiterFaults, H4_a_stopped_redis_that_goes_on_has_not_forgotten_and_learns_the_rest) {
  EXPECT_TRUE(a().fail_once(five_passwords, key));
  redis.pause();
  wait_for_loss();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  EXPECT_FALSE(a().fail_once(five_passwords, key));
  redis.go_on();
  wait_for_return();
  EXPECT_FALSE(a().fail_once(five_passwords, key));
  EXPECT_FALSE(b().fail_once(five_passwords, key));
}

TEST_P(LimiterFaults, a_success_during_an_outage_stays_one) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  redis.pause();
  wait_for_loss();
  const auto right = a().take(five_passwords, key);
  ASSERT_TRUE(right.allowed);
  a().settle(key, right, Settlement::cleared);
  redis.go_on();  // with four in it
  wait_for_return();
  EXPECT_EQ(a().take(five_passwords, key).remaining, 4U);
  EXPECT_EQ(b().take(five_passwords, key).remaining, 3U);
}

TEST_P(LimiterFaults, a_success_before_an_outage_is_not_undone_by_what_another_node_knew) {
  EXPECT_TRUE(b().fail_once(five_passwords, key));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  const auto right = a().take(five_passwords, key);
  ASSERT_TRUE(right.allowed);
  a().settle(key, right, Settlement::cleared);
  EXPECT_EQ(a().take(five_passwords, key).remaining, 4U);
  EXPECT_EQ(b().take(five_passwords, key).remaining, 3U);
}

TEST_P(LimiterFaults, H4_keys_that_redis_throws_away_are_brought_back) {
  while (a().fail_once(five_passwords, key)) {
  }
  EXPECT_EQ(redis.ask({"FLUSHALL"}).text, "OK");
  EXPECT_FALSE(a().fail_once(five_passwords, key));
  EXPECT_FALSE(b().fail_once(five_passwords, key));
}

TEST_P(LimiterFaults, H4_addresses_are_counted_on_by_the_node_that_counted_them) {
  const auto take = [&](Node& node) {
    return node.take(ten_a_minute, key, LimitClass::refresh_address).allowed;
  };
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(take(a()));
  redis.end();
  wait_for_loss();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(take(a()));
  redis.start();
  wait_for_return();
  EXPECT_TRUE(take(b()));
  EXPECT_FALSE(take(b()));
  EXPECT_FALSE(take(a()));
}

/// Without a database each node has a rest of its own (docs/redis.md).
class LimiterFaultsWithDatabase : public LimiterFaults {};

TEST_P(LimiterFaultsWithDatabase, H4_A2_64_threads_while_redis_comes_and_goes) {
  std::atomic<int> allowed = 0;
  std::atomic<int> unavailable = 0;
  std::atomic<bool> stop = false;
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 64; ++thread) {
      threads.emplace_back([&, thread] {
        while (!stop) {
          try {
            allowed += nodes.at(thread % 2)->fail_once(five_passwords, key) ? 1 : 0;
          } catch (const std::exception&) {
            ++unavailable;  // 503
          }
        }
      });
    }
    for (int round = 0; round < 2; ++round) {
      redis.end();
      wait_for_loss();
      redis.start();
      wait_for_return();
      redis.pause();
      wait_for_loss();
      redis.go_on();
      wait_for_return();
    }
    stop = true;
  }
  EXPECT_LE(allowed, 5);
  EXPECT_GE(allowed, 1) << unavailable << " were put off";
}

INSTANTIATE_TEST_SUITE_P(FallBack, LimiterFaults, ::testing::Values("memory", "sqlite", "postgres"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(FallBack, LimiterFaultsWithDatabase, ::testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace keyward::domain
