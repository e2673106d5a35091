#include "domain/limits/limit_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

namespace keyward::domain {
namespace {

using std::chrono::seconds;
constexpr Time start{seconds{1'800'000'000}};
constexpr LimitRule five_in_900_s{.quota = 5, .window = seconds{900}};
constexpr LimitRule five_passwords{.quota = 5, .window = seconds{900}, .is_settled = true};

LimitKey key_number(std::uint64_t number) {
  LimitKey key{};
  // Spread like the hashes that real keys are (splitmix64), so that shards fill evenly.
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t mixed = number * 2 + half + 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    mixed ^= mixed >> 31U;
    std::memcpy(key.data() + half * sizeof mixed, &mixed, sizeof mixed);
  }
  return key;
}

TEST(LimitTable, the_quota_is_there_again_when_the_window_ends) {
  LimitTable table;
  const auto key = key_number(1);
  for (std::uint32_t left = 5; left-- > 0;) {
    const auto verdict = table.take(five_in_900_s, key, start + seconds{4 - left});
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, left);
    EXPECT_EQ(verdict.window_ends, start + seconds{900}) << "the window opens with the first one";
  }
  const auto refused = table.take(five_in_900_s, key, start + seconds{899});
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.window_ends, start + seconds{900}) << "a refused one prolongs nothing";
  EXPECT_TRUE(table.take(five_in_900_s, key, start + seconds{900}).allowed);
}

TEST(LimitTable, a_refusal_is_told_once_in_a_window) {
  LimitTable table;
  const auto key = key_number(1);
  for (int window = 0; window < 2; ++window) {
    const auto now = start + seconds{900 * window};
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(table.take(five_in_900_s, key, now).first_refusal);
    EXPECT_TRUE(table.take(five_in_900_s, key, now).first_refusal);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(table.take(five_in_900_s, key, now).first_refusal);
  }
}

TEST(LimitTable, what_is_given_back_can_be_taken_again_in_its_own_window_only) {
  LimitTable table;
  const auto key = key_number(1);
  const auto first = table.take(five_passwords, key, start);
  table.settle(key, first.window, Settlement::given_back);
  EXPECT_EQ(table.key_count(), 0U);
  table.settle(key, first.window, Settlement::given_back);  // nothing is there: nothing happens

  const auto old = table.take(five_passwords, key, start);
  const auto later = start + seconds{900};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(table.take(five_passwords, key, later).allowed);
  table.settle(key, old.window, Settlement::given_back);
  EXPECT_FALSE(table.take(five_passwords, key, later).allowed);
}

// Each call brings the time that it read before it waited for the table, and a clock may be set back
// meanwhile.
TEST(LimitTable, A1_what_is_settled_finds_its_window_whatever_the_clock_did) {
  for (const auto earlier : {seconds{1}, seconds{24 * 3600}}) {
    for (const auto settlement : {Settlement::counted, Settlement::given_back, Settlement::cleared}) {
      LimitTable table;
      const auto key = key_number(1);
      const auto first = table.take(five_passwords, key, start);
      const auto second = table.take(five_passwords, key, start - earlier);
      EXPECT_LT(second.window_ends, first.window_ends);
      table.settle(key, first.window, settlement);
      table.settle(key, second.window, Settlement::counted);
      const auto left = settlement == Settlement::counted ? 3U : 4U;
      for (std::uint32_t i = 0; i < left; ++i) {
        const auto taken = table.take(five_passwords, key, start - earlier);
        ASSERT_TRUE(taken.allowed);
        table.settle(key, taken.window, Settlement::counted);
      }
      const auto refused = table.take(five_passwords, key, start - earlier);
      EXPECT_TRUE(!refused.allowed && !refused.pending) << "nothing stays unsettled";
    }
  }
}

TEST(LimitTable, A2_what_a_forgotten_key_had_taken_is_not_given_back_to_its_next_window) {
  LimitTable table{512};  // one key in each shard
  const auto key = key_number(1);
  const auto forgotten = table.take(five_passwords, key, start);
  for (std::uint64_t other = 2; other < 10'000; ++other) {
    (void)table.take({.quota = 1, .window = seconds{900}, .is_settled = true}, key_number(other), start);
  }
  const auto again = table.take(five_passwords, key, start);
  ASSERT_EQ(again.window_ends, forgotten.window_ends);
  table.settle(key, forgotten.window, Settlement::given_back);
  EXPECT_EQ(table.take(five_passwords, key, start).remaining, again.remaining - 1);
}

TEST(LimitTable, nothing_is_given_back_twice) {
  LimitTable table;
  const auto key = key_number(1);
  for (int i = 0; i < 4; ++i) {
    table.settle(key, table.take(five_passwords, key, start).window, Settlement::counted);
  }
  const auto last = table.take(five_passwords, key, start);
  for (int i = 0; i < 3; ++i) table.settle(key, last.window, Settlement::given_back);
  EXPECT_TRUE(table.take(five_passwords, key, start).allowed);
  EXPECT_FALSE(table.take(five_passwords, key, start).allowed);
}

TEST(LimitTable, a_refusal_is_for_good_only_when_all_are_settled) {
  LimitTable table;
  const auto key = key_number(1);
  std::uint64_t window = 0;
  for (int i = 0; i < 5; ++i) window = table.take(five_passwords, key, start).window;
  for (int i = 0; i < 5; ++i) {
    const auto refused = table.take(five_passwords, key, start);
    EXPECT_TRUE(!refused.allowed && refused.pending && !refused.first_refusal) << i;
    table.settle(key, window, Settlement::counted);
  }
  const auto refused = table.take(five_passwords, key, start);
  EXPECT_TRUE(!refused.allowed && !refused.pending && refused.first_refusal);
}

TEST(LimitTable, success_clears_what_is_settled_and_nothing_else) {
  LimitTable table;
  const auto key = key_number(1);
  std::uint64_t window = 0;
  for (int i = 0; i < 2; ++i) {
    window = table.take(five_passwords, key, start).window;
    table.settle(key, window, Settlement::counted);
  }
  for (int i = 0; i < 3; ++i) (void)table.take(five_passwords, key, start);
  table.settle(key, window, Settlement::cleared);  // one of the three; two are still being looked at
  EXPECT_EQ(table.take(five_passwords, key, start).remaining, 2U);
  for (int i = 0; i < 3; ++i) table.settle(key, window, Settlement::cleared);
  EXPECT_EQ(table.key_count(), 0U);
}

TEST(LimitTable, A1_keys_do_not_touch_each_other) {
  LimitTable table;
  for (int i = 0; i < 10; ++i) (void)table.take(five_in_900_s, key_number(1), start);
  for (std::uint64_t other = 2; other < 1000; ++other) {
    EXPECT_TRUE(table.take(five_in_900_s, key_number(other), start).allowed);
  }
}

TEST(LimitTable, A2_of_64_parallel_threads_five_in_all_may_pass) {
  LimitTable table;
  std::atomic<int> allowed = 0;
  std::atomic<int> told = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 64; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          const auto verdict = table.take(five_in_900_s, key_number(7), start);
          allowed += verdict.allowed ? 1 : 0;
          told += verdict.first_refusal ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(allowed, 5);
  EXPECT_EQ(told, 1);
}

TEST(LimitTable, A2_parallel_ones_that_give_back_never_lose_or_win_a_count) {
  LimitTable table;
  const auto counted = table.take(five_passwords, key_number(7), start);
  ASSERT_TRUE(counted.allowed);
  table.settle(key_number(7), counted.window, Settlement::counted);
  std::atomic<int> holding = 0;
  std::atomic<int> most = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 16; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 2000; ++i) {
          const auto verdict = table.take(five_passwords, key_number(7), start);
          if (!verdict.allowed) continue;
          const int now_holding = ++holding;
          int seen = most;
          while (seen < now_holding && !most.compare_exchange_weak(seen, now_holding)) {
          }
          --holding;
          table.settle(key_number(7), verdict.window, Settlement::given_back);
        }
      });
    }
  }
  EXPECT_LE(most, 4);
  EXPECT_EQ(table.take(five_passwords, key_number(7), start).remaining, 3U);
}

TEST(LimitTable, a_million_keys_take_no_more_room_than_the_table_has) {
  LimitTable table;
  for (std::uint64_t number = 0; number < 1'000'000; ++number) {
    (void)table.take({.quota = 1'000'000, .window = seconds{900}}, key_number(number), start);
  }
  EXPECT_LE(table.key_count(), limits::rate_limit_keys_max);
  EXPECT_GT(table.key_count(), limits::rate_limit_keys_max * 9 / 10);
}

TEST(LimitTable, A3_a_flood_of_keys_wins_a_used_up_key_one_more_for_each_table_full) {
  constexpr std::uint64_t keys_max = 2048;
  constexpr std::uint32_t tables = 20;
  LimitTable table{keys_max};
  constexpr std::uint64_t locked = 1'000'000;
  constexpr std::uint64_t used = 2'000'000;
  for (int i = 0; i < 6; ++i) (void)table.take(five_in_900_s, key_number(locked), start);
  for (int i = 0; i < 3; ++i) (void)table.take(five_in_900_s, key_number(used), start);
  std::uint32_t passed_locked = 0;
  std::uint32_t passed_used = 0;
  for (std::uint64_t number = 0; number < tables * keys_max; ++number) {
    (void)table.take(five_in_900_s, key_number(number), start + seconds{1});
    if (table.take(five_in_900_s, key_number(locked), start + seconds{1}).allowed) ++passed_locked;
    if (number < 3 * keys_max) EXPECT_EQ(passed_locked, 0U) << "not before the floor has risen: " << number;
    if (table.take(five_in_900_s, key_number(used), start + seconds{1}).allowed) ++passed_used;
  }
  EXPECT_LE(passed_locked, tables);
  EXPECT_LE(passed_used, 2 + tables);
  EXPECT_LE(table.key_count(), keys_max);
}

// Against a count of everything: whatever is forgotten, what is left to a key is never more than the truth,
// but for the one that is everybody's.
TEST(LimitTable, A3_a_full_table_never_leaves_a_key_more_than_the_truth_but_one) {
  LimitTable table{512};  // one key in each shard
  std::vector<std::uint32_t> passed(4096);
  std::uint64_t state = 42;
  for (int step = 0; step < 100'000; ++step) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto number = (state >> 33U) % passed.size();
    const auto verdict = table.take(five_in_900_s, key_number(number), start + seconds{step % 899});
    if (!verdict.allowed) continue;
    const auto before = passed.at(number)++;
    ASSERT_LE(verdict.remaining + 1, before < 5 ? 5 - before : 1) << step;
  }
}

TEST(LimitTable, A1_a_flood_leaves_a_newcomer_one_and_after_it_the_whole_quota) {
  LimitTable table{512};
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    EXPECT_TRUE(table.take(five_in_900_s, key_number(number), start).allowed);
  }
  const auto last = table.take(five_in_900_s, key_number(77'777), start);
  EXPECT_TRUE(last.allowed && last.crowded && last.remaining == 0) << "the price, while it lasts";
  EXPECT_FALSE(table.take(five_in_900_s, key_number(77'777), start).allowed);
  const auto after = table.take(five_in_900_s, key_number(88'888), start + seconds{900});
  EXPECT_TRUE(!after.crowded && after.remaining == 4);
}

TEST(LimitTable, a_quota_of_one_is_one) {
  LimitTable table{512};
  constexpr LimitRule one{.quota = 1, .window = seconds{900}};
  for (std::uint64_t number = 0; number < 2000; ++number) {
    EXPECT_TRUE(table.take(one, key_number(number), start).allowed);
    EXPECT_FALSE(table.take(one, key_number(number), start).allowed);
  }
}

TEST(LimitCount, A2_a_window_that_a_set_clock_ended_goes_on_with_all_that_was_counted_in_it) {
  LimitCount count;
  count.open(five_passwords, start, 7);
  for (int i = 0; i < 3; ++i) (void)count.take(five_passwords);
  const auto of_one_node = count.known(start + seconds{10});
  for (int i = 0; i < 2; ++i) (void)count.take(five_passwords);  // by another
  const auto later = start + seconds{2000};
  EXPECT_TRUE(count.merge(of_one_node, later));
  count.open(five_passwords, later, 8);
  EXPECT_EQ(count.window, 7U);
  EXPECT_FALSE(count.take(five_passwords).allowed);
}

TEST(LimitTable, a_clock_that_was_set_back_locks_for_no_longer_than_a_window) {
  LimitTable table;
  for (int i = 0; i < 5; ++i) (void)table.take(five_in_900_s, key_number(1), start);
  const auto earlier = start - std::chrono::hours{24};
  EXPECT_EQ(table.take(five_in_900_s, key_number(1), earlier).window_ends, earlier + seconds{900});
}

}  // namespace
}  // namespace keyward::domain
