#include "mail/sender.hpp"
#include "base/mutex.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>
#include <latch>
#include <set>

#include "crypto/system_random.hpp"
#include "storage/migrations.hpp"

namespace keyward::mail {
namespace {

using testing::HasSubstr;
using enum Delivery::Verdict;

constexpr Time start{seconds{1'800'000'000}};

/// A mail server that does what it is told.
class FakeTransport final : public Transport {
 public:
  Delivery blocking_deliver(const OutgoingMessage& message, const MayGoOn& may_go_on) override {
    {
      const Lock lock{mutex_};
      messages_.push_back(message);
    }
    return answer(may_go_on);
  }
  std::vector<OutgoingMessage> delivered() {
    const Lock lock{mutex_};
    return messages_;
  }
  std::function<Delivery(const MayGoOn&)> answer = [](const MayGoOn&) { return Delivery{taken_verdict, {}}; };

 private:
  static constexpr auto taken_verdict = Delivery::Verdict::delivered;
  Mutex mutex_;
  std::vector<OutgoingMessage> messages_ KEYWARD_GUARDED_BY(mutex_);
};

class SenderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    database_ = storage::Database::open({.path = folder_ / "keyward.db"}).value();
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  SenderSettings settings(std::size_t threads = 1) {
    return {.from = {.name = "Keyward", .address = "no-reply@example.com"},
            .service_name = "Keyward",
            .public_url = "https://id.example.com",
            .threads = threads};
  }
  std::unique_ptr<Sender> sender(std::size_t threads = 1) {
    return std::make_unique<Sender>(Sender::Dependencies{*database_, outbox_, templates_, transport_, clock_,
                                                         random_, [this] { return steady_.load(); }},
                                    settings(threads));
  }
  Mail reset(const std::string& local = "ada") {
    const auto email = text::parse_email(local + "@example.com").value();
    return reset_password({.email = email, .full_name = "Ada", .account_id = {}, .locale = ""},
                          {.url = "https://id.example.com/reset-password#token=kw_secret",
                           .code = "K7PM-2QXD",
                           .expires_at = clock_.now() + std::chrono::hours{1}});
  }
  Uuid enqueue(const Mail& mail) {
    return database_->blocking_write(
        [&](storage::Transaction& transaction) { return outbox_.enqueue(transaction, mail); });
  }
  domain::OutgoingMail row(const Uuid& id) {
    return database_
        ->blocking_read(
            [&](storage::Transaction& transaction) { return domain::find_outgoing_mail(transaction, id); })
        .value();
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("sender_test." + std::to_string(::getpid()));
  ManualClock clock_{start};
  crypto::SystemRandom random_;
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  Outbox outbox_{master_key_, clock_, random_, {.message_id_domain = "example.com", .locale = "en"}};
  Templates templates_ = Templates::load().value();
  FakeTransport transport_;
  std::atomic<Lease::SteadyTime> steady_;
  std::unique_ptr<storage::Database> database_;
};

TEST_F(SenderTest, sends_what_was_enqueued_filled_in) {
  const auto id = enqueue(reset());
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_FALSE(sender()->blocking_send_next());
  ASSERT_EQ(transport_.delivered().size(), 1);
  const auto message = transport_.delivered()[0];
  EXPECT_EQ(message.sender, "no-reply@example.com");
  EXPECT_EQ(message.recipient, "ada@example.com");
  EXPECT_THAT(message.bytes, HasSubstr("Hello Ada,"));
  EXPECT_THAT(message.bytes, HasSubstr("K7PM-2QXD"));
  EXPECT_THAT(message.bytes, HasSubstr("<" + id.to_string() + "@example.com>"));
  EXPECT_EQ(row(id).state, "sent");
}

TEST_F(SenderTest, a_change_that_is_rolled_back_sends_no_mail) {
  const auto refused = database_->blocking_write([&](storage::Transaction& transaction) -> Result<int> {
    outbox_.enqueue(transaction, reset());
    return fail(ErrorCode::conflict, "no");
  });
  EXPECT_FALSE(refused);
  EXPECT_FALSE(sender()->blocking_send_next());
}

TEST_F(SenderTest, R1_no_link_stands_in_the_database_and_no_other_row_or_key_opens_it) {
  enqueue(reset());
  enqueue(reset("eve"));
  auto mails = database_->blocking_write([&](storage::Transaction& transaction) {
    std::vector<domain::ClaimedMail> all;
    for (int i = 0; i < 2; ++i)
      all.push_back(
          domain::claim_due_mail(transaction, start, {Uuid::make_v7(start, random_), start + seconds{9}})
              .value());
    return all;
  });
  EXPECT_THAT(std::string{as_text(*mails[0].content_sealed)}, testing::Not(HasSubstr("kw_secret")));
  EXPECT_THAT(outbox_.open(mails[0])->at("link"), HasSubstr("kw_secret"));
  std::swap(mails[0].content_sealed, mails[1].content_sealed);
  EXPECT_FALSE(outbox_.open(mails[0]));
  const auto other_key = crypto::MasterKey::generate(random_);
  const Outbox other{other_key, clock_, random_, {}};
  std::swap(mails[0].content_sealed, mails[1].content_sealed);
  EXPECT_FALSE(other.open(mails[0]));
  EXPECT_TRUE(outbox_.open(mails[0]));
  for (const auto& change : std::vector<std::function<void(domain::ClaimedMail&)>>{
           [](auto& mail) { mail.recipient = "eve@example.com"; },
           [](auto& mail) { mail.kind = "verify_email"; }, [](auto& mail) { mail.expires_at += seconds{1}; },
           [](auto& mail) {
             mail.kind += "a";
             mail.recipient.erase(0, 1);
           }}) {
    auto changed = mails[0];
    change(changed);
    EXPECT_FALSE(outbox_.open(changed));
  }
}

TEST_F(SenderTest, an_outage_puts_a_mail_off_later_and_later_and_it_arrives_the_same) {
  const auto id = enqueue(reset());
  transport_.answer = [](const MayGoOn&) { return Delivery{try_again, "no route"}; };
  const auto worker = sender();
  microseconds last{0};
  for (int attempt = 1; attempt <= 5; ++attempt) {
    ASSERT_TRUE(worker->blocking_send_next());
    EXPECT_FALSE(worker->blocking_send_next());  // not due
    const auto now = row(id);
    EXPECT_EQ(now.state, "waiting");
    EXPECT_EQ(now.attempts, attempt);
    EXPECT_EQ(now.last_error, "no route");
    const auto delay = *now.due_at - clock_.now();
    EXPECT_GT(delay, last);  // a quarter less of twice is more than a quarter more of once
    last = delay;
    clock_.advance(delay);
  }
  transport_.answer = [](const MayGoOn&) { return Delivery{delivered, {}}; };
  ASSERT_TRUE(worker->blocking_send_next());
  EXPECT_EQ(row(id).state, "sent");
  const auto messages = transport_.delivered();
  EXPECT_EQ(messages.front().bytes, messages.back().bytes);
  EXPECT_EQ(worker->statistics().sent, 1);
  EXPECT_EQ(worker->statistics().postponed, 5);
}

TEST_F(SenderTest, an_attempt_that_lasts_keeps_its_mail) {
  const auto id = enqueue(reset());
  const auto other = sender();
  transport_.answer = [&](const MayGoOn& may_go_on) {
    for (int i = 0; i < 600; ++i) {  // ten minutes
      clock_.advance(seconds{1});
      steady_ = steady_.load() + seconds{1};
      EXPECT_TRUE(may_go_on());
      EXPECT_GT(row(id).due_at, clock_.now());
      if (i % 100 == 0) EXPECT_FALSE(other->blocking_send_next());
    }
    return Delivery{delivered, {}};
  };
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_EQ(row(id).state, "sent");
  EXPECT_EQ(row(id).attempts, 1);
}

TEST_F(SenderTest, an_attempt_ends_when_its_mail_is_no_longer_its_own) {
  const auto id = enqueue(reset());
  const auto other = sender();
  bool is_first = true;
  transport_.answer = [&](const MayGoOn& may_go_on) {
    if (!std::exchange(is_first, false)) return Delivery{delivered, {}};
    clock_.advance(seconds{66});  // for everybody else the lease is over; this process was asleep
    EXPECT_TRUE(other->blocking_send_next());
    steady_ = steady_.load() + seconds{33};
    EXPECT_FALSE(may_go_on());
    return Delivery{try_again, "cut"};
  };
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_EQ(row(id).state, "sent");
  EXPECT_EQ(row(id).last_error, std::nullopt);
}

TEST_F(SenderTest, a_mail_that_was_taken_too_long_ago_is_not_sent) {
  const auto id = enqueue(reset());
  auto slow = settings();
  int asked = 0;
  Sender worker{{*database_, outbox_, templates_, transport_, clock_, random_,
                 [&] { return Lease::SteadyTime{++asked == 1 ? seconds{0} : seconds{asked * 66}}; }},
                slow};
  EXPECT_TRUE(worker.blocking_send_next());
  EXPECT_TRUE(transport_.delivered().empty());
  EXPECT_EQ(row(id).state, "waiting");
}

TEST_F(SenderTest, a_mail_that_may_have_been_delivered_is_tried_again_rarely) {
  const auto email = text::parse_email("ada@example.com").value();
  const auto id = enqueue(test({.email = email, .full_name = {}, .account_id = {}, .locale = ""}, start));
  transport_.answer = [](const MayGoOn&) { return Delivery{unsure, "no answer"}; };
  const auto worker = sender();
  std::vector<microseconds> delays;
  while (row(id).state == "waiting") {
    clock_.advance(seconds{600});
    ASSERT_TRUE(worker->blocking_send_next());
    if (row(id).state != "waiting") break;
    delays.push_back(*row(id).due_at - clock_.now());
    clock_.advance(delays.back());
  }
  ASSERT_FALSE(delays.empty());
  EXPECT_EQ(delays.front(), seconds{1200});
  EXPECT_LE(delays.size(), 6);
  EXPECT_EQ(row(id).state, "expired");
  EXPECT_EQ(row(id).last_error, "no answer");
}

TEST_F(SenderTest, whatever_an_attempt_throws_the_mail_waits) {
  const auto id = enqueue(reset());
  transport_.answer = [](const MayGoOn&) -> Delivery { throw std::logic_error("broken"); };
  const auto worker = sender();
  EXPECT_TRUE(worker->blocking_send_next());
  EXPECT_EQ(row(id).state, "waiting");
  EXPECT_EQ(row(id).last_error, "broken");
  const auto begin = std::chrono::steady_clock::now();
  worker->stop();  // nothing counts as under way
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{4});
}

TEST_F(SenderTest, what_cannot_be_composed_waits_for_whoever_mends_it) {
  const auto id = enqueue(reset());
  auto broken = settings();
  broken.from.address = "two words";
  Sender worker{{*database_, outbox_, templates_, transport_, clock_, random_}, broken};
  EXPECT_TRUE(worker.blocking_send_next());
  EXPECT_EQ(row(id).state, "waiting");
  EXPECT_THAT(row(id).last_error.value(), HasSubstr("header"));
}

TEST_F(SenderTest, what_is_no_longer_of_use_is_not_sent) {
  const auto id = enqueue(reset());
  clock_.advance(std::chrono::hours{1});
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_TRUE(transport_.delivered().empty());
  EXPECT_EQ(row(id).state, "expired");
}

TEST_F(SenderTest, a_mail_that_would_be_tried_again_too_late_expires_with_its_error) {
  const auto id = enqueue(reset());
  transport_.answer = [](const MayGoOn&) { return Delivery{try_again, "no route"}; };
  clock_.advance(std::chrono::hours{1} - seconds{1});
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_EQ(row(id).state, "expired");
  EXPECT_EQ(row(id).last_error, "no route");
}

TEST_F(SenderTest, what_the_server_refuses_fails_and_may_be_retried) {
  const auto id = enqueue(reset());
  transport_.answer = [](const MayGoOn&) { return Delivery{refused, "550 no"}; };
  EXPECT_TRUE(sender()->blocking_send_next());
  EXPECT_EQ(row(id).state, "failed");
  EXPECT_EQ(database_->blocking_write([&](storage::Transaction& transaction) {
    return domain::retry_mails(transaction, id, clock_.now());
  }),
            1);
  transport_.answer = [](const MayGoOn&) { return Delivery{delivered, {}}; };
  EXPECT_TRUE(sender()->blocking_send(id));
  EXPECT_EQ(row(id).state, "sent");
}

TEST_F(SenderTest, a_mail_without_a_variable_of_its_kind_is_not_taken) {
  auto mail = reset();
  mail.variables.erase("link");
  EXPECT_THROW(enqueue(mail), std::logic_error);
}

TEST_F(SenderTest, threads_send_each_mail_once_and_are_woken_by_the_doorbell) {
  const auto worker = sender(4);
  worker->start();
  std::set<std::string> wanted;
  for (int i = 0; i < 40; ++i) {
    enqueue(reset("person" + std::to_string(i)));
    wanted.insert("person" + std::to_string(i) + "@example.com");
  }
  for (int i = 0; i < 2000 && worker->statistics().sent < 40; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  worker->stop();
  std::multiset<std::string> got;
  for (const auto& message : transport_.delivered()) got.insert(message.recipient);
  EXPECT_EQ(got, std::multiset<std::string>(wanted.begin(), wanted.end()));
}

TEST_F(SenderTest, stopping_cuts_a_send_that_does_not_end_and_the_mail_waits) {
  std::promise<void> begun;
  transport_.answer = [&](const MayGoOn& may_go_on) {
    begun.set_value();
    while (may_go_on()) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    return Delivery{try_again, "the server is stopping"};
  };
  const auto id = enqueue(reset());
  const auto worker = sender();
  worker->start();
  begun.get_future().wait();
  worker->stop();
  EXPECT_EQ(row(id).state, "waiting");
  EXPECT_EQ(row(id).attempts, 1);
}

}  // namespace
}  // namespace keyward::mail
