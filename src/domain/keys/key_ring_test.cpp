#include "domain/keys/key_ring.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <latch>
#include <set>
#include <thread>

#include "crypto/system_random.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "storage/errors.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

/// A data folder with a key ring on it; a second one on the same folder plays another process.
class KeyRingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    database_ = storage::Database::open({.path = folder_ / "keyward.db"}).value();
    ASSERT_TRUE(storage::blocking_migrate(*database_, clock_.now()));
    revisions_ = Revisions::open(folder_).value();
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  KeyRing make_ring(const crypto::MasterKey& master_key, KeySettings settings = {}) {
    return KeyRing{{*database_, master_key, *revisions_, events_, clock_, random_}, settings};
  }

  template <class T>
  T wait_for(Task<T> task) {
    asio::io_context loop{1};
    auto future = asio::co_spawn(loop, std::move(task), asio::use_future);
    loop.run();
    return future.get();
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("key_ring_test." + std::to_string(::getpid()));
  ManualClock clock_{Time{seconds{1'800'000'000}}};
  crypto::SystemRandom random_;
  Leases leases_{clock_, random_};
  EventLog events_{EventLog::no_output, nullptr, nullptr, clock_};
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Revisions> revisions_;
  TokenIssuer issuer_{{.issuer = "https://id.example", .audience = "https://id.example"}};
};

TEST_F(KeyRingTest, two_processes_that_start_at_once_share_one_first_key) {
  auto one = make_ring(master_key_);
  auto two = make_ring(master_key_);
  std::jthread other{[&] { EXPECT_TRUE(two.blocking_open()); }};
  EXPECT_TRUE(one.blocking_open());
  other.join();
  EXPECT_EQ(database_->blocking_read(list_signing_keys).size(), 1U);
  EXPECT_EQ(wait_for(one.current())->signer(clock_.now()).kid(),
            wait_for(two.current())->signer(clock_.now()).kid());
}

TEST_F(KeyRingTest, another_master_key_is_refused_with_a_sentence) {
  ASSERT_TRUE(make_ring(master_key_).blocking_open());
  const auto other = crypto::MasterKey::generate(random_);
  const auto refused = make_ring(other).blocking_open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("master key does not open"), std::string::npos);
}

TEST_F(KeyRingTest, H4_a_database_that_takes_nothing_more_is_away_and_no_fault) {
  database_.reset();
  database_ =
      storage::Database::open({.path = folder_ / "keyward.db", .reader_threads = 1, .queue_max = 1}).value();
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  clock_.advance(limits::key_snapshot_max_age + seconds{1});

  std::latch reading{1};
  std::latch over{1};
  const auto hold = [&](storage::Transaction&) {
    over.wait();
    return true;
  };
  std::jthread reader{[&] {
    database_->blocking_read([&](storage::Transaction& transaction) {
      reading.count_down();
      return hold(transaction);
    });
  }};
  reading.wait();
  std::jthread waiting{[&] { database_->blocking_read(hold); }};
  while (database_->read_statistics().waiting == 0) std::this_thread::yield();
  EXPECT_THROW(wait_for(ring.current()), storage::Unavailable);
  over.count_down();
}

TEST_F(KeyRingTest, a_stored_key_is_bound_to_its_row) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  ASSERT_TRUE(ring.blocking_rotate(Rotation::planned));
  database_->blocking_write([](storage::Transaction& transaction) {
    transaction.execute(
        "UPDATE signing_keys SET private_key_sealed = (SELECT min(private_key_sealed) FROM signing_keys)");
  });
  EXPECT_FALSE(make_ring(master_key_).blocking_open());
}

TEST_F(KeyRingTest, a_stored_key_that_is_not_what_its_row_says_is_refused) {
  ASSERT_TRUE(make_ring(master_key_).blocking_open());  // ES256
  const auto refusal_of = [&](std::string_view algorithm) {
    database_->blocking_write([&](storage::Transaction& transaction) {
      transaction.execute("UPDATE signing_keys SET algorithm = $1", algorithm);
    });
    const auto opened = make_ring(master_key_).blocking_open();
    return opened ? std::string{} : opened.error().message;
  };
  EXPECT_NE(refusal_of("ES999").find("unknown algorithm ES999"), std::string::npos);
  EXPECT_EQ(refusal_of("RS256"), "Not the PKCS#8 form of a key for this algorithm");
  EXPECT_EQ(refusal_of("ES256"), "");
}

TEST_F(KeyRingTest, a_token_of_ours_names_an_account_and_a_session) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  const auto keys = ring.latest();
  const auto now = clock_.now();
  const auto id = Uuid::make_v7(now, random_).to_string();
  const auto outcome = [&](const std::string& subject, const std::string& session) {
    const auto token = protocol::jose::make_access_token({.issuer = "https://id.example",
                                                          .subject = subject,
                                                          .audience = {"https://id.example"},
                                                          .issued_at = now,
                                                          .expires_at = now + seconds{900},
                                                          .jti = id,
                                                          .sid = session},
                                                         keys->signer(now));
    const auto verified = issuer_.verify(token, *keys, now);
    return verified ? "accepted" : std::string{to_word(verified.error().reason)};
  };
  EXPECT_EQ(outcome(id, id), "accepted");
  EXPECT_EQ(outcome("ann", id), "invalid_claim");
  EXPECT_EQ(outcome(id, "ann"), "invalid_claim");
  EXPECT_EQ(outcome(id, ""), "invalid_claim");
}

TEST_F(KeyRingTest, J4_planned_rotation_never_leaves_a_verifier_without_the_key) {
  auto ring = make_ring(master_key_);
  auto server = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  ASSERT_TRUE(server.blocking_open());
  const TokenSubject subject{.account_id = Uuid::make_v7(clock_.now(), random_),
                             .session_id = Uuid::make_v7(clock_.now(), random_)};
  ASSERT_TRUE(ring.blocking_rotate(Rotation::planned));
  EXPECT_EQ(ring.blocking_rotate(Rotation::planned).error().code, ErrorCode::conflict);

  // A verifier that fetches the key set only as often as max-age allows knows every token's key.
  auto cached = wait_for(server.current());
  Time fetched_at = clock_.now();
  std::string first_signer = cached->signer(clock_.now()).kid();
  std::string last_signer;
  for (int minute = 0; minute < 30; ++minute) {
    clock_.advance(std::chrono::minutes{1});
    if (clock_.now() - fetched_at >= limits::jwks_max_age) {
      cached = wait_for(server.current());
      fetched_at = clock_.now();
    }
    const auto now_signing = wait_for(server.current());
    const auto token = issuer_.issue(*now_signing, subject, clock_.now(), random_);
    EXPECT_TRUE(issuer_.verify(token, *cached, clock_.now())) << minute;
    last_signer = now_signing->signer(clock_.now()).kid();
  }
  EXPECT_NE(first_signer, last_signer);
}

TEST_F(KeyRingTest, a_compromised_key_takes_its_tokens_with_it_and_now_does_not) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  const TokenSubject subject{.account_id = Uuid::make_v7(clock_.now(), random_),
                             .session_id = Uuid::make_v7(clock_.now(), random_)};
  const auto token = issuer_.issue(*wait_for(ring.current()), subject, clock_.now(), random_);
  clock_.advance(seconds{1});
  ASSERT_TRUE(ring.blocking_rotate(Rotation::now));
  EXPECT_TRUE(issuer_.verify(token, *wait_for(ring.current()), clock_.now()));
  clock_.advance(seconds{1});
  ASSERT_TRUE(ring.blocking_rotate(Rotation::compromised));
  const auto refused = issuer_.verify(token, *wait_for(ring.current()), clock_.now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, protocol::jose::Reason::unknown_key);
}

TEST_F(KeyRingTest, a_change_that_nobody_announced_is_found_and_announced) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  const auto before = wait_for(ring.current());
  {
    // Another process that dies between its commit and its bump: its revisions are not ours.
    std::filesystem::create_directories(folder_ / "elsewhere");
    const auto deaf = Revisions::open(folder_ / "elsewhere").value();
    KeyRing other{{*database_, master_key_, *deaf, events_, clock_, random_}, {}};
    ASSERT_TRUE(other.blocking_rotate(Rotation::compromised));
  }
  EXPECT_EQ(wait_for(ring.current())->rows.front().id, before->rows.front().id);
  const auto revision = revisions_->of_keys();
  clock_.advance(limits::key_snapshot_max_age);
  const auto after = wait_for(ring.current());
  EXPECT_NE(after->rows.front().id, before->rows.front().id);
  EXPECT_NE(revisions_->of_keys(), revision);  // so the loops drop what they cached,
  // and the first to see the new keys compares nothing with what was verified under the old ones.
  EXPECT_EQ(after->revision, revisions_->of_keys());
  EXPECT_EQ(ring.latest()->revision, revisions_->of_keys());
}

TEST_F(KeyRingTest, of_many_callers_one_reads_ahead_of_time) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  for (int round = 0; round < 2; ++round) {
    const auto before = wait_for(ring.current());
    clock_.advance(microseconds{limits::key_snapshot_max_age} * 4 / 5);
    asio::io_context loop{1};
    std::vector<std::future<KeySnapshotPointer>> callers;
    for (int i = 0; i < 64; ++i) callers.push_back(asio::co_spawn(loop, ring.current(), asio::use_future));
    loop.run();
    std::set<KeySnapshotPointer> read;
    for (auto& caller : callers) read.insert(caller.get());
    EXPECT_TRUE(read.contains(before));
    EXPECT_EQ(read.size(), 2U);
    EXPECT_TRUE(read.contains(wait_for(ring.current())));
    EXPECT_NE(wait_for(ring.current()), before);
  }
}

TEST_F(KeyRingTest, a_read_ahead_of_time_that_fails_takes_nothing_away) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  const auto before = wait_for(ring.current());
  database_->blocking_write([](storage::Transaction& transaction) {
    transaction.execute("UPDATE signing_keys SET algorithm = $1", std::string{"none"});
    return true;
  });
  clock_.advance(microseconds{limits::key_snapshot_max_age} * 4 / 5);
  EXPECT_EQ(wait_for(ring.current()), before);
  clock_.advance(microseconds{limits::key_snapshot_max_age} / 5);
  EXPECT_THROW(wait_for(ring.current()), std::runtime_error);
}

TEST_F(KeyRingTest, a_clock_that_steps_back_does_not_stop_the_signing) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  const auto keys = wait_for(ring.current());
  EXPECT_EQ(keys->signer(clock_.now() - std::chrono::hours{1}).kid(), keys->rows.front().id);
}

TEST_F(KeyRingTest, maintenance_deletes_a_compromised_key_with_its_private_part) {
  auto ring = make_ring(master_key_);
  ASSERT_TRUE(ring.blocking_open());
  clock_.advance(seconds{1});
  ASSERT_TRUE(ring.blocking_rotate(Rotation::compromised));
  wait_for(ring.maintain(&leases_));
  EXPECT_EQ(database_->blocking_read(list_signing_keys).size(), 1U);
}

TEST_F(KeyRingTest, maintenance_rotates_by_age_once_and_deletes_what_is_spent) {
  auto ring =
      make_ring(master_key_, {.algorithm = crypto::Algorithm::es256, .max_age = std::chrono::hours{24}});
  ASSERT_TRUE(ring.blocking_open());
  wait_for(ring.maintain(&leases_));
  EXPECT_EQ(database_->blocking_read(list_signing_keys).size(), 1U);
  clock_.advance(std::chrono::hours{24});
  for (int i = 0; i < 3; ++i) wait_for(ring.maintain(&leases_));
  EXPECT_EQ(database_->blocking_read(list_signing_keys).size(), 2U);
  clock_.advance(std::chrono::minutes{11});
  EXPECT_EQ(wait_for(ring.current())->signer(clock_.now()).kid(),
            database_->blocking_read(list_signing_keys).back().id);
  clock_.advance(std::chrono::minutes{1} + key_retention - std::chrono::hours{2});
  EXPECT_EQ(database_->blocking_read(list_signing_keys).size(), 2U);
  clock_.advance(std::chrono::hours{2});
  wait_for(ring.maintain(&leases_));
  const auto left = database_->blocking_read(list_signing_keys);
  EXPECT_EQ(left.size(), 2U);  // the first is deleted; the second is due for its successor by now
  EXPECT_EQ(wait_for(ring.current())->rows.size(), 2U);
}

TEST_F(KeyRingTest, another_algorithm_is_taken_up_by_rotation) {
  ASSERT_TRUE(make_ring(master_key_).blocking_open());
  auto ring = make_ring(master_key_, {.algorithm = crypto::Algorithm::eddsa});
  ASSERT_TRUE(ring.blocking_open());
  EXPECT_EQ(wait_for(ring.current())->signer(clock_.now()).algorithm(), crypto::Algorithm::es256);
  wait_for(ring.maintain(&leases_));
  clock_.advance(std::chrono::minutes{11});
  EXPECT_EQ(wait_for(ring.current())->signer(clock_.now()).algorithm(), crypto::Algorithm::eddsa);
}

}  // namespace
}  // namespace keyward::domain
