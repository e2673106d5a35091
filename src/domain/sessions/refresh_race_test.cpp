// A refresh token's calls on a real database: 64 threads at once, and every other change to the session
// between.
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "crypto/system_random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/sessions/refresh.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"
#include "text/email.hpp"

namespace keyward::domain {
namespace {

using protocol::refresh::Action;
using protocol::refresh::Reason;

constexpr int threads_count = 64;
constexpr Time start{seconds{1'800'000'000}};

class RefreshRace : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    database_ = storage::conformance::open_database(GetParam(), folder_.path());
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
    account_id_ = add_account("ada@example.com");
  }

  Uuid add_account(std::string_view email) {
    const NewAccount account{.id = Uuid::make_v7(start, random_),
                             .email = text::parse_email(email).value(),
                             .password_hash = "$none",
                             .created_at = start};
    EXPECT_TRUE(database_->blocking_write(
        [&](storage::Transaction& transaction) { return insert_account(transaction, account); }));
    return account.id;
  }
  Uuid add_session(const Uuid& account_id, Time now = start) {
    const auto id = Uuid::make_v7(now, random_);
    database_->blocking_write([&](storage::Transaction& transaction) {
      insert_session(transaction, id, account_id, device_, settings_, now);
    });
    return id;
  }
  Refreshed refresh(const Uuid& id, std::int64_t generation, Time now) {
    return database_->blocking_write([&](storage::Transaction& transaction) {
      return refresh_session(transaction, {id, generation}, device_, settings_, now);
    });
  }
  std::vector<Refreshed> refresh_in_parallel(const Uuid& id, std::int64_t generation, Time now) {
    std::vector<Refreshed> all;
    Mutex mutex;
    std::latch begin{threads_count};
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_count; ++i) {
      threads.emplace_back([&] {
        begin.arrive_and_wait();
        auto one = refresh(id, generation, now);
        const Lock lock{mutex};
        all.push_back(std::move(one));
      });
    }
    threads.clear();
    return all;
  }
  static std::int64_t count(const std::vector<Refreshed>& all, Action action) {
    return std::ranges::count_if(all, [&](const Refreshed& one) { return one.decision.action == action; });
  }
  std::int64_t stored_sessions() {
    return database_->blocking_read([](storage::Transaction& transaction) {
      return transaction.get<std::int64_t>("SELECT count(*) FROM sessions");
    });
  }

  storage::conformance::TemporaryFolder folder_;
  crypto::SystemRandom random_;
  SessionSettings settings_;
  Device device_{.user_agent = "test/1", .address = "192.0.2.1"};
  std::unique_ptr<storage::Database> database_;
  Uuid account_id_;
};

INSTANTIATE_TEST_SUITE_P(Engines, RefreshRace, testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

TEST_P(RefreshRace, R2_O15_exactly_one_of_64_threads_advances_and_all_get_the_same_successor) {
  const auto id = add_session(account_id_);
  for (std::int64_t round = 0; round < 50; ++round) {
    const auto all = refresh_in_parallel(id, round, start + seconds{round});
    EXPECT_EQ(count(all, Action::advance), 1);
    EXPECT_EQ(count(all, Action::repeat), threads_count - 1);
    for (const auto& one : all) {
      EXPECT_EQ(one.decision.generation, round + 1);
      EXPECT_EQ(one.account_id, account_id_);
      EXPECT_EQ(one.roles, std::vector<std::string>{"user"});
    }
  }
}

TEST_P(RefreshRace, R2_O14_a_replay_by_64_threads_ends_the_session_once) {
  const auto id = add_session(account_id_);
  refresh(id, 0, start);
  const auto all = refresh_in_parallel(id, 0, start + settings_.refresh_grace);
  EXPECT_EQ(count(all, Action::end), 1);
  EXPECT_EQ(count(all, Action::refuse), threads_count - 1);
  EXPECT_EQ(refresh(id, 1, start).decision.reason, Reason::session_ended);
}

TEST_P(RefreshRace, A5_S5_whatever_ends_the_session_between_two_calls_is_seen_by_the_second) {
  const auto other = add_account("eve@example.com");
  const auto write = [&](auto change) { database_->blocking_write(change); };
  const auto id = add_session(account_id_);
  write([&](storage::Transaction& transaction) {
    EXPECT_FALSE(end_session(transaction, id, other, "logout", start));  // S6: not theirs
    EXPECT_EQ(find_session_owner(transaction, id), account_id_);
  });
  EXPECT_EQ(refresh(id, 0, start).decision.action, Action::advance);
  write([&](storage::Transaction& transaction) {
    EXPECT_TRUE(end_session(transaction, id, account_id_, "logout", start));
    EXPECT_FALSE(end_session(transaction, id, account_id_, "logout", start));
  });
  EXPECT_EQ(refresh(id, 1, start).decision.reason, Reason::session_ended);

  const auto second = add_session(account_id_);
  write([&](storage::Transaction& transaction) {
    EXPECT_TRUE(set_disabled(transaction, account_id_, true, start));
  });
  EXPECT_EQ(refresh(second, 0, start).decision.reason, Reason::account_disabled);
  write([&](storage::Transaction& transaction) { EXPECT_TRUE(delete_account(transaction, account_id_)); });
  const auto gone = refresh(second, 0, start);
  EXPECT_EQ(gone.decision.action, Action::refuse);
  EXPECT_FALSE(gone.account_id);
}

TEST_P(RefreshRace, S4_the_limits_hold_with_a_clock_that_is_told_the_time) {
  const auto idle = add_session(account_id_);
  EXPECT_EQ(refresh(idle, 0, start + settings_.idle_lifetime).decision.reason, Reason::idle_expired);

  const auto busy = add_session(account_id_);
  const auto end = start + settings_.absolute_lifetime;
  std::int64_t generation = 0;
  for (auto now = start; now < end; now += settings_.idle_lifetime - seconds{1}) {
    ASSERT_EQ(refresh(busy, generation++, now).decision.action, Action::advance);
  }
  EXPECT_EQ(refresh(busy, generation, end).decision.reason, Reason::absolute_expired);
  const auto live = database_->blocking_read([&](storage::Transaction& transaction) {
    return find_live_account(transaction, busy, account_id_, end);
  });
  EXPECT_FALSE(live);
}

TEST_P(RefreshRace, S6_live_sessions_are_listed_newest_first_in_pages_and_only_their_owners) {
  const auto other = add_session(add_account("eve@example.com"));
  std::vector<Uuid> mine;
  for (int i = 0; i < 5; ++i) mine.push_back(add_session(account_id_, start + seconds{i}));
  database_->blocking_write([&](storage::Transaction& transaction) {
    return end_session(transaction, mine[2], account_id_, "logout", start);
  });
  std::vector<Uuid> listed;
  std::optional<Uuid> after;
  do {
    const auto page = database_->blocking_read([&](storage::Transaction& transaction) {
      return list_sessions(transaction, account_id_, after, 2, start + seconds{10});
    });
    for (const auto& session : page.items) listed.push_back(session.id);
    after = page.next;
  } while (after);
  EXPECT_EQ(listed, (std::vector<Uuid>{mine[4], mine[3], mine[1], mine[0]}));
  EXPECT_EQ(std::ranges::count(listed, other), 0);
}

TEST_P(RefreshRace, the_sweep_removes_what_is_long_over_and_no_more_than_its_budget) {
  const auto old = start - settings_.absolute_lifetime - limits::session_kept_after_expiry;
  const auto sweep = [&] {
    return database_->blocking_write(
        [](storage::Transaction& transaction) { return sweep_sessions(transaction, start); });
  };
  const auto stale = [&] {
    return database_->blocking_read(
        [](storage::Transaction& transaction) { return has_stale_sessions(transaction, start); });
  };
  add_session(account_id_, old);  // exactly a day over: kept
  add_session(account_id_, start);
  EXPECT_FALSE(stale());
  EXPECT_EQ(sweep(), 0);
  database_->blocking_write([&](storage::Transaction& transaction) {
    for (std::int64_t i = 0; i < limits::session_sweep_max + 3; ++i) {
      insert_session(transaction, Uuid::make_v7(old, random_), account_id_, device_, settings_,
                     old - seconds{1});
    }
  });
  EXPECT_TRUE(stale());
  EXPECT_EQ(sweep(), limits::session_sweep_max);
  EXPECT_EQ(sweep(), 3);
  EXPECT_FALSE(stale());
  EXPECT_EQ(stored_sessions(), 2);
}

}  // namespace
}  // namespace keyward::domain
