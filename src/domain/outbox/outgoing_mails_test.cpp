#include "domain/outbox/outgoing_mails.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "domain/accounts/accounts.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};

class OutgoingMails : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    database_ = storage::conformance::open_database(GetParam(), folder_.path());
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
  }

  Uuid insert(Time created_at = start, std::optional<Uuid> account_id = {}, std::string kind = "test") {
    const NewOutgoingMail mail{.id = Uuid::make_v7(created_at, random_),
                               .kind = std::move(kind),
                               .locale = "en",
                               .account_id = account_id,
                               .recipient = "ada@example.com",
                               .recipient_key = {9},
                               .message_id = "x@example.com",
                               .content_sealed = {1, 2, 3},
                               .created_at = created_at,
                               .expires_at = created_at + std::chrono::hours{24}};
    database_->blocking_write(
        [&](storage::Transaction& transaction) { insert_outgoing_mail(transaction, mail); });
    return mail.id;
  }
  MailLease lease(Time now) { return {Uuid::make_v7(now, random_), now + std::chrono::minutes{1}}; }
  std::optional<ClaimedMail> claim(Time now, const MailLease& by) {
    return database_->blocking_write(
        [&](storage::Transaction& transaction) { return claim_due_mail(transaction, now, by); });
  }
  bool finish(const Uuid& id, const MailLease& by, std::string_view state, Time now) {
    return database_->blocking_write([&](storage::Transaction& transaction) {
      return finish_mail(transaction, id, by.id, state, now, std::nullopt);
    });
  }
  std::int64_t retry(Time now, const std::optional<Uuid>& id = std::nullopt) {
    return database_->blocking_write(
        [&](storage::Transaction& transaction) { return retry_mails(transaction, id, now); });
  }
  OutgoingMail row(const Uuid& id) {
    return database_
        ->blocking_read(
            [&](storage::Transaction& transaction) { return find_outgoing_mail(transaction, id); })
        .value();
  }
  std::int64_t contents() {
    return database_->blocking_read([](storage::Transaction& transaction) {
      return transaction.get<std::int64_t>("SELECT count(content_sealed) FROM outgoing_mails");
    });
  }

  std::int64_t sweep(Time now) {
    const auto swept = database_->blocking_write(
        [&](storage::Transaction& transaction) { return sweep_mails(transaction, now); });
    EXPECT_FALSE(database_->blocking_read(
        [&](storage::Transaction& transaction) { return has_stale_mails(transaction, now); }));
    return swept;
  }
  std::set<Uuid> ids() {
    const auto mails = database_->blocking_read([](storage::Transaction& transaction) {
      return list_outgoing_mails(transaction, "", std::nullopt, 10);
    });
    std::set<Uuid> all;
    for (const auto& mail : mails) all.insert(mail.id);
    return all;
  }

  storage::conformance::TemporaryFolder folder_;
  crypto::SystemRandom random_;
  std::unique_ptr<storage::Database> database_;
};

INSTANTIATE_TEST_SUITE_P(Engines, OutgoingMails, testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

TEST_P(OutgoingMails, of_64_threads_each_mail_is_taken_by_one) {
  constexpr int threads = 64;
  std::set<Uuid> inserted;
  for (int i = 0; i < 20; ++i) inserted.insert(insert());
  std::atomic<int> taken = 0;
  std::array<std::vector<Uuid>, threads> mine;
  std::latch begin{threads};
  {
    std::vector<std::jthread> takers;
    for (auto& own : mine) {
      takers.emplace_back([&] {
        begin.arrive_and_wait();
        crypto::SystemRandom random;
        while (const auto mail =
                   claim(start, {Uuid::make_v7(start, random), start + std::chrono::hours{1}})) {
          own.push_back(mail->id);
          ++taken;
        }
      });
    }
  }
  std::set<Uuid> all;
  for (const auto& own : mine) all.insert(own.begin(), own.end());
  EXPECT_EQ(taken, 20);
  EXPECT_EQ(all, inserted);
}

TEST_P(OutgoingMails, a_mail_whose_taker_died_is_due_again_when_its_lease_ends) {
  const auto id = insert();
  const auto dead = lease(start);
  ASSERT_TRUE(claim(start, dead));
  const auto heir = lease(start + seconds{61});
  EXPECT_FALSE(claim(start + seconds{59}, heir));
  const auto again = claim(start + seconds{61}, heir);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->attempts, 2);
  // The one that was thought dead comes back: the mail is no longer its own.
  EXPECT_FALSE(finish(id, dead, mail_state::sent, start + seconds{62}));
  EXPECT_EQ(row(id).state, "waiting");
  EXPECT_TRUE(finish(id, heir, mail_state::sent, start + seconds{63}));
  EXPECT_FALSE(finish(id, heir, mail_state::sent, start + seconds{64}));
  EXPECT_EQ(row(id).finished_at, start + seconds{63});
}

TEST_P(OutgoingMails, R1_the_content_goes_when_the_mail_is_sent) {
  const auto id = insert();
  const auto by = lease(start);
  ASSERT_TRUE(claim(start, by));
  EXPECT_EQ(contents(), 1);
  ASSERT_TRUE(finish(id, by, mail_state::sent, start));
  EXPECT_EQ(contents(), 0);
}

TEST_P(OutgoingMails, retry_takes_up_what_failed_and_leaves_what_is_under_way) {
  const auto failed = insert();
  const auto by = lease(start);
  ASSERT_TRUE(claim(start, by));
  ASSERT_TRUE(finish(failed, by, mail_state::failed, start));
  EXPECT_EQ(contents(), 1);
  const auto under_way = insert();
  const auto other = lease(start);
  ASSERT_TRUE(claim(start, other));
  EXPECT_EQ(retry(start + seconds{1}, under_way), 0);
  EXPECT_EQ(retry(start + seconds{1}), 1);
  EXPECT_EQ(row(failed).state, "waiting");
  EXPECT_EQ(row(failed).due_at, start + seconds{1});
  EXPECT_EQ(retry(start + std::chrono::hours{25}), 0);  // expired
}

TEST_P(OutgoingMails, the_oldest_due_one_goes_first_and_old_rows_are_forgotten) {
  const auto second = insert(start + seconds{1});
  const auto first = insert();
  const auto by = lease(start + seconds{5});
  EXPECT_EQ(claim(start + seconds{5}, by)->id, first);
  EXPECT_EQ(database_->blocking_read(find_next_due_mail), start + seconds{1});
  ASSERT_TRUE(finish(first, by, mail_state::sent, start + seconds{6}));
  const auto later = start + seconds{6} + limits::mail_kept;
  EXPECT_EQ(sweep(later), 1);  // the second one's content: it has expired
  EXPECT_EQ(ids(), (std::set{first, second}));
  EXPECT_EQ(sweep(later + seconds{1}), 1);
  EXPECT_EQ(ids(), std::set{second});
}

TEST_P(OutgoingMails, R1_the_content_goes_when_the_mail_expires_whatever_became_of_it) {
  insert();
  const auto failed = insert(start + seconds{1});
  const auto by = lease(start + seconds{1});
  ASSERT_TRUE(claim(start + seconds{1}, by));
  const auto other = lease(start + seconds{1});
  ASSERT_TRUE(claim(start + seconds{1}, other));
  ASSERT_TRUE(finish(failed, other, mail_state::failed, start + seconds{2}));
  const auto expiry = start + std::chrono::hours{24};
  EXPECT_EQ(sweep(expiry - seconds{1}), 0);
  EXPECT_EQ(contents(), 2);
  EXPECT_EQ(sweep(expiry + seconds{1}), 2);
  EXPECT_EQ(contents(), 0);
  EXPECT_EQ(sweep(expiry + seconds{1}), 0);
  EXPECT_EQ(ids().size(), 2);
}

TEST_P(OutgoingMails, nobody_is_named_by_the_mails_of_an_account_that_is_gone_but_by_notices_that_wait) {
  const auto account = Uuid::make_v7(start, random_);
  database_->blocking_write([&](storage::Transaction& transaction) {
    ASSERT_TRUE(insert_account(transaction, {.id = account,
                                             .email = {"ada@example.com", "ada@example.com"},
                                             .password_hash = "x",
                                             .created_at = start}));
  });
  const auto sent = insert(start, account, "new_device");
  const auto by = lease(start);
  ASSERT_TRUE(claim(start, by));
  ASSERT_TRUE(finish(sent, by, mail_state::sent, start));
  const auto link = insert(start, account, "reset_password");
  const auto notice = insert(start, account, "password_changed");
  const auto of_nobody = insert(start);
  database_->blocking_write(
      [&](storage::Transaction& transaction) { ASSERT_TRUE(delete_account(transaction, account)); });
  EXPECT_EQ(row(sent).recipient, "");
  EXPECT_EQ(row(link).recipient, "");
  EXPECT_LE(row(link).expires_at, start);
  EXPECT_EQ(row(notice).recipient, "ada@example.com");
  EXPECT_EQ(contents(), 2);  // of the notice and of the one about nobody
  for (int i = 0; i < 3; ++i) {
    const auto next = lease(start);
    const auto mail = claim(start, next);
    ASSERT_TRUE(mail);
    ASSERT_TRUE(finish(mail->id, next, mail->id == notice ? mail_state::failed : mail_state::sent, start));
  }
  EXPECT_EQ(row(notice).recipient, "");
  EXPECT_EQ(contents(), 0);
  EXPECT_EQ(retry(start), 0);  // there is nothing to send
  EXPECT_EQ(row(of_nobody).recipient, "ada@example.com");
  // How many there were is known all the same: whoever deletes accounts cannot send more.
  EXPECT_EQ(database_->blocking_read([](storage::Transaction& transaction) {
    return count_mails_since(transaction, {9}, "reset_password", start - seconds{1});
  }),
            1);
}

TEST_P(OutgoingMails, a_lease_is_renewed_by_its_holder_alone) {
  const auto id = insert();
  const auto by = lease(start);
  ASSERT_TRUE(claim(start, by));
  const auto renew = [&](const Uuid& lease_id, Time until) {
    return database_->blocking_write([&](storage::Transaction& transaction) {
      return renew_mail_lease(transaction, id, {lease_id, until});
    });
  };
  EXPECT_TRUE(renew(by.id, start + seconds{120}));
  EXPECT_EQ(row(id).due_at, start + seconds{120});
  EXPECT_FALSE(renew(lease(start).id, start + seconds{180}));
  ASSERT_TRUE(finish(id, by, mail_state::sent, start));
  EXPECT_FALSE(renew(by.id, start + seconds{180}));
}

}  // namespace
}  // namespace keyward::domain
