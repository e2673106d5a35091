// Every place that limits are counted in, held against the same rules: memory, SQLite, PostgreSQL, Redis, and
// Redis before a database.
#include <gtest/gtest.h>

#include "domain/limits/limiters_for_tests.hpp"

namespace keyward::domain {
namespace {

using testing::Node;
using testing::TestDatabase;

constexpr LimitRule five_in_900_s{.quota = 5, .window = seconds{900}};
constexpr LimitRule five_passwords{.quota = 5, .window = seconds{900}, .is_settled = true};
constexpr LimitRule hundred_passwords{.quota = 100, .window = seconds{900}, .is_settled = true};
constexpr LimitRule two_in_a_second{.quota = 2, .window = seconds{1}, .is_settled = true};

LimitKey key_number(std::uint8_t number) {
  LimitKey key{};
  key.fill(number);
  return key;
}

class RateLimiters : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto& kind = GetParam();
    if (kind.contains("redis")) redis_.emplace();
    if (kind.contains("sqlite") || kind.contains("postgres")) database_.emplace(kind.contains("postgres"));
  }
  std::unique_ptr<Node> make_node() {
    return std::make_unique<Node>(Node::Shares{.redis_url = redis_ ? redis_->url() : "",
                                               .database = database_ ? &database_->get() : nullptr},
                                  clock_);
  }
  [[nodiscard]] bool is_memory() const { return GetParam() == "memory"; }
  /// Closures that the writers have run so far; a write is counted a moment after its caller has gone on.
  [[nodiscard]] std::uint64_t writes() {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    return database_->get().write_statistics().durations.count();
  }
  [[nodiscard]] Time now() const { return clock_.now(); }

 private:
  SystemClock clock_;
  std::optional<redis::testing::RedisServer> redis_;
  std::optional<TestDatabase> database_;
};

TEST_P(RateLimiters, a_quota_and_what_is_left_of_it) {
  const auto node = make_node();
  const auto key = key_number(1);
  for (std::uint32_t i = 0; i < 5; ++i) {
    const auto verdict = node->take(five_passwords, key);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, 4 - i);
    EXPECT_EQ(verdict.settled, i);
    EXPECT_NE(verdict.window, 0U);
    EXPECT_NEAR(static_cast<double>((verdict.window_ends - now()).count()), 900e6, 10e6);
    node->settle(key, verdict, Settlement::counted);
  }
  const auto refused = node->take(five_passwords, key);
  EXPECT_TRUE(!refused.allowed && !refused.pending && refused.first_refusal);
  EXPECT_NEAR(static_cast<double>((refused.window_ends - now()).count()), 900e6, 10e6);
  EXPECT_FALSE(node->take(five_passwords, key).first_refusal) << "told once";
  EXPECT_TRUE(node->take(five_passwords, key_number(2)).allowed);
  EXPECT_TRUE(node->take(five_passwords, key, LimitClass::login_device).allowed) << "of another limit";
}

TEST_P(RateLimiters, what_is_not_settled_is_counted_at_once) {
  const auto node = make_node();
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(node->take(five_in_900_s, key_number(1), LimitClass::refresh_address).allowed);
  const auto refused = node->take(five_in_900_s, key_number(1), LimitClass::refresh_address);
  EXPECT_TRUE(!refused.allowed && !refused.pending && refused.first_refusal);
}

TEST_P(RateLimiters, a_refusal_is_pending_while_others_are_not_settled) {
  const auto node = make_node();
  const auto key = key_number(1);
  std::vector<Verdict> taken;
  for (int i = 0; i < 5; ++i) taken.push_back(node->take(five_passwords, key));
  EXPECT_TRUE(node->take(five_passwords, key).pending);
  node->settle(key, taken[0], Settlement::given_back);
  const auto again = node->take(five_passwords, key);
  EXPECT_TRUE(again.allowed && again.remaining == 0 && again.settled == 0);
  for (int i = 1; i < 5; ++i) node->settle(key, taken[i], Settlement::counted);
  EXPECT_TRUE(node->take(five_passwords, key).pending);
  node->settle(key, again, Settlement::counted);
  EXPECT_FALSE(node->take(five_passwords, key).pending);
}

TEST_P(RateLimiters, success_clears_what_is_settled_and_opens_a_whole_window) {
  const auto node = make_node();
  const auto key = key_number(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(node->fail_once(five_passwords, key));
  const auto right = node->take(five_passwords, key);
  const auto other = node->take(five_passwords, key);
  node->settle(key, right, Settlement::cleared);
  EXPECT_EQ(node->take(five_passwords, key).remaining, 3U) << "one of the others is still looked at";
  node->settle(key, other, Settlement::cleared);
  node->settle(key, {}, Settlement::cleared);
  EXPECT_EQ(node->take(five_passwords, key).remaining, 3U);
}

TEST_P(RateLimiters, A1_what_is_cleared_without_a_reservation_is_cleared) {
  const auto node = make_node();
  const auto key = key_number(1);
  while (node->fail_once(five_passwords, key)) {
  }
  node->settle(key, {}, Settlement::cleared);
  const auto verdict = node->take(five_passwords, key);
  EXPECT_TRUE(verdict.allowed && verdict.remaining == 4);
}

TEST_P(RateLimiters, A1_the_quota_is_there_again_when_the_window_ends) {
  const auto node = make_node();
  const auto key = key_number(1);
  EXPECT_TRUE(node->fail_once(two_in_a_second, key));
  const auto old = node->take(two_in_a_second, key);
  EXPECT_FALSE(node->take(two_in_a_second, key).allowed);
  Verdict verdict;
  testing::wait_until([&] {
    verdict = node->take(two_in_a_second, key);
    return verdict.allowed;
  });
  EXPECT_EQ(verdict.remaining, 1U);
  node->settle(key, old, Settlement::given_back);
  EXPECT_EQ(node->take(two_in_a_second, key).remaining, 0U) << "of another window: nothing is given back";
}

TEST_P(RateLimiters, two_buckets_are_taken_from_together_or_not_at_all) {
  const auto node = make_node();
  const Bucket address{.limit = LimitClass::login_address, .key = key_number(1), .rule = five_passwords};
  const Bucket account{.limit = LimitClass::login, .key = key_number(2), .rule = five_passwords};
  const auto both = node->take_each({address, account});
  ASSERT_EQ(both.size(), 2U);
  EXPECT_TRUE(both[0].allowed && both[0].remaining == 4 && both[1].allowed && both[1].remaining == 4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(node->fail_once(five_passwords, account.key));
  EXPECT_TRUE(node->take_each({address, account}).back().pending);
  node->settle(account.key, both[1], Settlement::counted);
  const auto refused = node->take_each({address, account});
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_TRUE(!refused[1].allowed && !refused[1].pending && refused[1].first_refusal);
  EXPECT_FALSE(node->take_each({address, account}).back().first_refusal) << "told once";
  EXPECT_EQ(node->take_each({account, address}).size(), 1U) << "the first that refuses is the last asked";
  EXPECT_EQ(node->take(five_passwords, address.key, address.limit).remaining, 3U);
}

class DatabaseLimiters : public RateLimiters {};

TEST_P(DatabaseLimiters, a_flood_at_a_locked_account_writes_nothing_to_the_database) {
  const auto node = make_node();
  const Bucket address{.limit = LimitClass::login_address, .key = key_number(1), .rule = hundred_passwords};
  const Bucket account{.limit = LimitClass::login, .key = key_number(2), .rule = five_passwords};
  std::vector<Verdict> last;
  for (int i = 0; i < 5; ++i) last.push_back(node->take_each({address, account}).back());
  EXPECT_TRUE(node->take_each({address, account}).back().pending);
  auto before = writes();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(node->take_each({address, account}).back().pending);
  EXPECT_EQ(writes(), before);
  for (const auto& verdict : last) node->settle(account.key, verdict, Settlement::counted);
  EXPECT_TRUE(node->take_each({address, account}).back().first_refusal);
  before = writes();
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(node->take_each({address, account}).back().allowed);
  EXPECT_EQ(writes(), before);
}

TEST_P(RateLimiters, A2_64_threads_at_three_nodes_share_one_quota) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < (is_memory() ? 1 : 3); ++i) nodes.push_back(make_node());
  std::atomic<int> allowed = 0;
  std::atomic<int> told = 0;
  std::atomic<int> unavailable = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 64; ++thread) {
      threads.emplace_back([&, thread] {
        auto& node = *nodes.at(thread % nodes.size());
        for (int i = 0; i < 5; ++i) {
          try {
            const auto verdict = node.take(five_passwords, key_number(7));
            allowed += verdict.allowed ? 1 : 0;
            told += verdict.first_refusal ? 1 : 0;
            if (verdict.allowed) node.settle(key_number(7), verdict, Settlement::counted);
          } catch (const std::exception&) {
            ++unavailable;  // too many at once for a database: 503, and nothing is compared
          }
        }
      });
    }
  }
  EXPECT_LE(allowed, 5);
  EXPECT_GE(allowed, 4) << unavailable << " were put off";
  EXPECT_LE(told, 1);
}

INSTANTIATE_TEST_SUITE_P(Stores, RateLimiters,
                         ::testing::Values("memory", "sqlite", "postgres", "redis", "redis_sqlite",
                                           "redis_postgres"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Stores, DatabaseLimiters,
                         ::testing::Values("sqlite", "postgres", "redis_sqlite", "redis_postgres"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace keyward::domain
