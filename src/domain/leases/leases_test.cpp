#include "domain/leases/leases.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

using storage::Transaction;

class LeasesOnADatabase : public testing::TestWithParam<bool> {
 protected:
  LeasesOnADatabase() {
    database_ = open();
    if (!blocking_migrate(*database_, clock_.now())) throw std::runtime_error("not migrated");
  }
  std::unique_ptr<storage::Database> open() {
    storage::DatabaseOptions options{.path = folder_.path() / "keyward.db"};
    if (GetParam()) options.postgres_url = Secret{storage::conformance::postgres_url_of(folder_.path())};
    return storage::Database::open(options).value();
  }
  static bool take(storage::Database& database, Leases& leases, LeasedWork work = LeasedWork::mail_sweep) {
    return database.blocking_write([&](Transaction& t) { return leases.take(t, work); });
  }
  bool is_held_for(const Leases& leases) {
    return database_->blocking_read(
        [&](Transaction& t) { return leases.is_held_by_another(t, LeasedWork::mail_sweep); });
  }
  /// As if so much time had passed.
  void pass(std::chrono::seconds time) {
    database_->blocking_write([&](Transaction& t) {
      t.execute("UPDATE leases SET expires_at = expires_at - $1", microseconds{time}.count());
    });
  }

  storage::conformance::TemporaryFolder folder_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  std::unique_ptr<storage::Database> database_;
  Leases one_{clock_, random_};
  Leases other_{clock_, random_};
};
INSTANTIATE_TEST_SUITE_P(Engines, LeasesOnADatabase, testing::Bool(),
                         [](const auto& info) { return info.param ? "postgres" : "sqlite"; });

TEST_P(LeasesOnADatabase, one_holds_it_and_renews_it_until_it_is_over) {
  EXPECT_TRUE(take(*database_, one_));
  EXPECT_FALSE(take(*database_, other_));
  EXPECT_TRUE(is_held_for(other_));
  EXPECT_FALSE(is_held_for(one_));
  pass(limits::lease_length / 2);
  EXPECT_TRUE(take(*database_, one_));
  pass(limits::lease_length / 2 + std::chrono::seconds{1});
  EXPECT_FALSE(take(*database_, other_));
  pass(limits::lease_length);
  EXPECT_FALSE(is_held_for(other_));
  EXPECT_TRUE(take(*database_, other_));
  EXPECT_FALSE(take(*database_, one_));
  EXPECT_TRUE(other_.holds(LeasedWork::mail_sweep));
  EXPECT_FALSE(one_.holds(LeasedWork::mail_sweep));
}

TEST_P(LeasesOnADatabase, each_work_has_its_own) {
  EXPECT_TRUE(take(*database_, one_, LeasedWork::session_sweep));
  EXPECT_TRUE(take(*database_, other_, LeasedWork::key_maintenance));
  EXPECT_FALSE(take(*database_, other_, LeasedWork::session_sweep));
}

TEST_P(LeasesOnADatabase, what_is_given_back_need_not_be_waited_for) {
  EXPECT_TRUE(take(*database_, one_));
  database_->blocking_write([&](Transaction& t) { other_.give_back(t); });
  EXPECT_FALSE(take(*database_, other_));
  database_->blocking_write([&](Transaction& t) { one_.give_back(t); });
  EXPECT_TRUE(take(*database_, other_));
}

/// The database's clock was an hour ahead when it was taken.
TEST_P(LeasesOnADatabase, an_end_beyond_every_lease_is_not_believed) {
  EXPECT_TRUE(take(*database_, one_));
  pass(std::chrono::seconds{-3600});
  EXPECT_FALSE(is_held_for(other_));
  EXPECT_TRUE(take(*database_, other_));
}

TEST_P(LeasesOnADatabase, a_transaction_that_fails_takes_nothing) {
  const auto failed = database_->blocking_write([&](Transaction& t) -> Result<void> {
    EXPECT_TRUE(one_.take(t, LeasedWork::mail_sweep));
    return fail(ErrorCode::conflict, "no");
  });
  EXPECT_FALSE(failed);
  EXPECT_FALSE(one_.holds(LeasedWork::mail_sweep));
  EXPECT_TRUE(take(*database_, other_));
}

TEST_P(LeasesOnADatabase, of_many_at_once_exactly_one_gets_it) {
  constexpr int rounds = 5;
  constexpr int nodes = 8;
  const auto second = open();
  for (int round = 0; round < rounds; ++round) {
    pass(limits::lease_length * 2);
    std::atomic<int> winners = 0;
    {
      std::vector<std::jthread> threads;
      for (int node = 0; node < nodes; ++node) {
        threads.emplace_back([&, node] {
          Leases mine{clock_, random_};
          if (take(node % 2 == 0 ? *database_ : *second, mine)) ++winners;
        });
      }
    }
    EXPECT_EQ(winners, 1);
  }
}

}  // namespace
}  // namespace keyward::domain
