// Redis is lost, stopped, or comes back empty: nobody gets an attempt more, and a success still clears.
#include <gmock/gmock.h>
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

TEST_P(LimiterFaults, a_success_that_a_stopping_redis_does_not_take_stays_one) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  const auto right = a().take(five_passwords, key);
  ASSERT_TRUE(right.allowed);
  redis.pause();  // nobody has noticed yet
  a().settle(key, right, Settlement::cleared);
  wait_for_loss();
  EXPECT_EQ(a().take(five_passwords, key).remaining, 4U);
  redis.go_on();
  wait_for_return();
  EXPECT_EQ(a().take(five_passwords, key).remaining, 3U);
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

/// Refusals of five passwords at the node until it lets one pass, which is counted.
void wait_until_allowed(Node& node) {
  wait_until([&] { return node.fail_once(five_passwords, key); });
}

TEST_P(LimiterFaultsWithDatabase, A1_a_reset_at_a_node_without_redis_ends_the_refusals_of_redis) {
  Node cut_off{{.redis_url = "", .database = &database->get()}, clock};
  while (a().fail_once(five_passwords, key)) {
  }
  EXPECT_FALSE(b().fail_once(five_passwords, key));
  cut_off.settle(key, {}, Settlement::cleared);
  wait_until_allowed(b());
  int allowed = 1;
  for (int i = 0; i < 8; ++i) {
    for (auto* node : {&a(), &b(), &cut_off}) allowed += node->fail_once(five_passwords, key) ? 1 : 0;
  }
  EXPECT_EQ(allowed, 5);
}

TEST_P(LimiterFaultsWithDatabase, A1_a_right_password_at_a_node_without_redis_ends_the_refusals_of_redis) {
  const auto told = [&](Settlement settlement) {
    Node cut_off{{.redis_url = "", .database = &database->get()}, clock};
    const auto verdict = cut_off.take(five_passwords, key);
    if (verdict.allowed) cut_off.settle(key, verdict, settlement);
    return verdict.allowed;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(a().fail_once(five_passwords, key));
  // Two more are under way at a, whose settling Redis never hears of.
  const auto first = a().take(five_passwords, key);
  const auto second = a().take(five_passwords, key);
  EXPECT_TRUE(b().take(five_passwords, key).pending);
  {
    Node cut_off{{.redis_url = "", .database = &database->get()}, clock};
    cut_off.settle(key, first, Settlement::given_back);
    cut_off.settle(key, second, Settlement::given_back);
  }
  EXPECT_TRUE(told(Settlement::cleared));
  wait_until_allowed(b());
}

TEST_P(LimiterFaultsWithDatabase, H4_a_refusal_of_redis_stays_one_when_the_database_refuses_as_well) {
  while (a().fail_once(five_passwords, key)) {
  }
  const auto reads = [&] { return database->get().read_statistics().durations.count(); };
  const auto before = reads();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) EXPECT_FALSE(a().fail_once(five_passwords, key));
  const auto took = std::chrono::steady_clock::now() - began;
  const auto turns = static_cast<std::uint64_t>(took / limits::redis_refusal_recheck) + 1;
  EXPECT_LE(reads() - before, turns + 1);  // one of before is counted a moment after its answer
}

TEST_P(LimiterFaultsWithDatabase, H4_a_redis_that_is_back_is_told_of_every_page) {
  constexpr int key_count = 1100;  // more than two pages
  redis.end();
  wait_for_loss();
  LimitKey one{};
  for (int i = 0; i < key_count; ++i) {
    one.at(0) = static_cast<std::uint8_t>(i / 256);
    one.at(1) = static_cast<std::uint8_t>(i % 256);
    EXPECT_TRUE(a().take(five_passwords, one).allowed);
  }
  redis.start();
  wait_for_return();
  EXPECT_GE(redis.ask({"DBSIZE"}).number, key_count);
}

TEST_P(LimiterFaultsWithDatabase, what_lasts_longest_is_told_first_and_no_more_than_may_be) {
  DatabaseCounts counts{database->get()};
  for (std::uint8_t i = 0; i < 7; ++i)
    (void)a().take({.quota = 5, .window = seconds{100 + i / 2}, .is_settled = true}, {i});
  const auto given = [&](DatabaseCounts::Pages pages, bool all) {
    std::vector<std::size_t> sizes;
    std::vector<std::uint8_t> keys;
    EXPECT_EQ(counts.blocking_each(pages,
                                   [&](const std::vector<KnownKey>& page) {
                                     sizes.push_back(page.size());
                                     for (const auto& each : page) keys.push_back(each.key.front());
                                   }),
              all);
    return std::pair{sizes, keys};
  };
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(given({.rows = 3, .rows_in_all = 100}, true).first, (Sizes{3, 3, 1}));
  EXPECT_EQ(given({.rows = 3, .rows_in_all = 7}, true).first, (Sizes{3, 3, 1}));
  const auto [sizes, keys] = given({.rows = 3, .rows_in_all = 5}, false);
  EXPECT_EQ(sizes, (Sizes{3, 2}));
  EXPECT_EQ(keys.front(), 6);
  EXPECT_THAT(keys, ::testing::Each(::testing::Ge(2)));
}

INSTANTIATE_TEST_SUITE_P(FallBack, LimiterFaults, ::testing::Values("memory", "sqlite", "postgres"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(FallBack, LimiterFaultsWithDatabase, ::testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace keyward::domain
