#include "domain/audit/audit_trail.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <latch>
#include <thread>

#include "crypto/system_random.hpp"
#include "domain/audit/audit_reader.hpp"
#include "domain/audit/event_log.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};

class AuditTrailTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    database_ = storage::Database::open({.path = folder_ / "keyward.db"}).value();
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
    trail_.attach(*database_);
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void record(int number) {
    database_->blocking_write([&](storage::Transaction& transaction) {
      trail_.record(transaction, {.name = "authn_login_success", .detail = std::to_string(number)},
                    start + seconds{number});
    });
  }
  void record_many(int count) {
    for (int i = 1; i <= count; ++i) record(i);
  }
  std::optional<AuditCheckpoint> checkpoint(Time now = start) {
    return database_->blocking_write([&](storage::Transaction& transaction) {
      return make_checkpoint(transaction, checkpoint_key_, now, random_);
    });
  }
  AuditReport verify(const std::vector<AuditCheckpoint>& saved = {}) {
    return database_->blocking_read([&](storage::Transaction& transaction) {
      return verify_audit(transaction, chain_key_, checkpoint_key_, saved);
    });
  }
  std::string broken(const std::vector<AuditCheckpoint>& saved = {}) {
    return verify(saved).broken.value_or("");
  }
  /// What somebody does who has the database and not the master key.
  template <class F>
  void tamper(F change) {
    database_->blocking_write(change);
  }
  std::vector<AuditRow> rows() {
    return database_->blocking_read([](storage::Transaction& transaction) {
      return list_audit_events(transaction, {}, std::nullopt, 10'000);
    });
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("audit_trail_test." + std::to_string(::getpid()));
  crypto::SystemRandom random_;
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  AuditTrail trail_{master_key_, EmailInEvents::hashed, random_};
  ChainKey chain_key_{master_key_};
  CheckpointKey checkpoint_key_{master_key_};
  std::unique_ptr<storage::Database> database_;
};

TEST_F(AuditTrailTest, L3_a_row_comes_and_goes_with_its_transaction) {
  record(1);
  const auto refused = database_->blocking_write([&](storage::Transaction& transaction) -> Result<void> {
    trail_.record(transaction, {.name = "user_deleted"}, start);
    return fail(ErrorCode::conflict, "no");
  });
  EXPECT_FALSE(refused);
  EXPECT_THROW(database_->blocking_write([&](storage::Transaction& transaction) {
    trail_.record(transaction, {.name = "user_deleted"}, start);
    throw std::out_of_range("mine");
  }),
               std::out_of_range);
  record(2);
  ASSERT_EQ(rows().size(), 2U);
  EXPECT_EQ(rows()[0].detail, "2");  // newest first
  EXPECT_EQ(verify().rows, 2);
  EXPECT_EQ(broken(), "");
}

TEST_F(AuditTrailTest, L3_rows_that_64_threads_write_are_one_chain) {
  std::latch begin{64};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      begin.arrive_and_wait();
      for (int n = 0; n < 10; ++n) record(i * 10 + n);
    });
  }
  threads.clear();
  EXPECT_EQ(verify().rows, 640);
  EXPECT_EQ(broken(), "");
}

TEST_F(AuditTrailTest, L3_a_changed_row_is_named_whatever_was_changed) {
  record_many(5);
  const auto detects = [&](storage::Sql change, storage::Sql undo) {
    tamper([&](storage::Transaction& transaction) { transaction.execute(change); });
    EXPECT_NE(broken().find("row 3 of chain 0"), std::string::npos) << change.text() << ": " << broken();
    tamper([&](storage::Transaction& transaction) { transaction.execute(undo); });
    EXPECT_EQ(broken(), "") << undo.text();
  };
  detects("UPDATE audit_events SET detail = '4' WHERE sequence = 3",
          "UPDATE audit_events SET detail = '3' WHERE sequence = 3");
  detects("UPDATE audit_events SET event = 'x' WHERE sequence = 3",
          "UPDATE audit_events SET event = 'authn_login_success' WHERE sequence = 3");
  detects("UPDATE audit_events SET occurred_at = occurred_at + 1 WHERE sequence = 3",
          "UPDATE audit_events SET occurred_at = occurred_at - 1 WHERE sequence = 3");
  // A text that moves from one column to its neighbour.
  detects("UPDATE audit_events SET detail = '', reason = '3' WHERE sequence = 3",
          "UPDATE audit_events SET detail = '3', reason = '' WHERE sequence = 3");
  const auto somebody = Uuid::make_v7(start, random_);
  tamper([&](storage::Transaction& transaction) {
    transaction.execute("UPDATE audit_events SET account_id = $1 WHERE sequence = 3", somebody);
  });
  EXPECT_NE(broken().find("row 3"), std::string::npos);
}

TEST_F(AuditTrailTest, L3_a_removed_row_is_named) {
  record_many(5);
  tamper([](storage::Transaction& t) { t.execute("DELETE FROM audit_events WHERE sequence = 3"); });
  EXPECT_NE(broken().find("row 3 of chain 0 is missing"), std::string::npos) << broken();
  // Closing the gap does not help.
  tamper([](storage::Transaction& t) {
    t.execute("UPDATE audit_events SET sequence = 3 WHERE sequence = 4");
    t.execute("UPDATE audit_events SET sequence = 4 WHERE sequence = 5");
  });
  EXPECT_NE(broken().find("row 3 of chain 0"), std::string::npos) << broken();
}

TEST_F(AuditTrailTest, L3_a_swapped_pair_is_named) {
  record_many(5);
  tamper([](storage::Transaction& t) {
    t.execute("UPDATE audit_events SET sequence = 99 WHERE sequence = 2");
    t.execute("UPDATE audit_events SET sequence = 2 WHERE sequence = 3");
    t.execute("UPDATE audit_events SET sequence = 3 WHERE sequence = 99");
  });
  EXPECT_NE(broken().find("row 2 of chain 0"), std::string::npos) << broken();
}

TEST_F(AuditTrailTest, L3_a_tail_that_was_cut_off_is_seen) {
  record_many(5);
  ASSERT_TRUE(checkpoint());
  tamper([](storage::Transaction& t) { t.execute("DELETE FROM audit_events WHERE sequence > 3"); });
  EXPECT_NE(broken().find("tail was cut off"), std::string::npos) << broken();
  // Also by somebody who sets the recorded end back: the checkpoint saw more.
  tamper([](storage::Transaction& t) {
    t.execute(
        "UPDATE audit_chains SET sequence = 3, hash = (SELECT hash FROM audit_events WHERE sequence = 3)");
  });
  EXPECT_NE(broken().find("the checkpoint of"), std::string::npos) << broken();
}

TEST_F(AuditTrailTest, L3_a_checkpoint_kept_elsewhere_outlives_those_in_the_database) {
  record_many(5);
  const auto made = checkpoint();
  ASSERT_TRUE(made);
  tamper([](storage::Transaction& t) {
    t.execute("DELETE FROM audit_checkpoints");
    t.execute("DELETE FROM audit_events WHERE sequence > 3");
    t.execute(
        "UPDATE audit_chains SET sequence = 3, hash = (SELECT hash FROM audit_events WHERE sequence = 3)");
  });
  EXPECT_EQ(broken(), "");  // nothing in the database tells
  const auto kept = parse_checkpoint_line(to_json_line(*made));
  ASSERT_TRUE(kept);
  EXPECT_NE(broken({*kept}).find("tail was cut off"), std::string::npos) << broken({*kept});
  tamper([](storage::Transaction& t) { t.execute("DELETE FROM audit_events"); });
  tamper([](storage::Transaction& t) { t.execute("DELETE FROM audit_chains"); });
  EXPECT_NE(broken({*kept}).find("chain 0 ends at row 0"), std::string::npos) << broken({*kept});
}

TEST_F(AuditTrailTest, L3_a_forged_checkpoint_is_refused) {
  record_many(2);
  ASSERT_TRUE(checkpoint());
  tamper([](storage::Transaction& t) { t.execute("UPDATE audit_checkpoints SET heads = '[]'"); });
  EXPECT_NE(broken().find("wrong signature"), std::string::npos) << broken();
}

TEST_F(AuditTrailTest, L3_on_a_full_disk_nothing_is_done_unlogged) {
  const auto change = [&](int number) {
    database_->blocking_write([&](storage::Transaction& transaction) {
      transaction.execute("UPDATE roles SET updated_at = $1 WHERE name = 'user'", number);
      trail_.record(transaction, {.name = "authz_change", .detail = std::string(500, 'x')}, start);
    });
  };
  const auto last_done = [&] {
    return database_->blocking_read([](storage::Transaction& transaction) {
      return transaction.get<std::int64_t>("SELECT updated_at FROM roles WHERE name = 'user'");
    });
  };
  tamper([](storage::Transaction& t) {
    t.get<std::int64_t>("PRAGMA max_page_count = 100");
    ASSERT_LT(t.get<std::int64_t>("PRAGMA page_count"), 90);
  });
  int done = 0;
  const auto change_until_full = [&] {
    for (; done < 1000; ++done) change(done + 1);
  };
  EXPECT_THROW(change_until_full(), storage::Failure);
  EXPECT_EQ(last_done(), done);
  EXPECT_EQ(verify().rows, done);
  EXPECT_EQ(broken(), "");
  tamper([](storage::Transaction& t) { t.get<std::int64_t>("PRAGMA max_page_count = 100000"); });
  change(done + 1);  // room again: all goes on
  EXPECT_EQ(verify().rows, done + 1);
}

TEST_F(AuditTrailTest, checkpoints_are_made_only_when_there_is_something_new) {
  EXPECT_FALSE(checkpoint());
  record(1);
  EXPECT_TRUE(checkpoint());
  EXPECT_FALSE(checkpoint());
  record(2);
  EXPECT_TRUE(checkpoint(start + seconds{60}));
  EXPECT_EQ(verify().checkpoints, 2);
}

TEST_F(AuditTrailTest, another_master_key_makes_no_rows_that_fit) {
  record(1);
  const auto other = crypto::MasterKey::generate(random_);
  AuditTrail forger{other, EmailInEvents::off, random_};
  forger.attach(*database_);
  database_->blocking_write([&](storage::Transaction& transaction) {
    forger.record(transaction, {.name = "authn_login_success"}, start);
  });
  EXPECT_NE(broken().find("row 2"), std::string::npos);
}

TEST_F(AuditTrailTest, pages_are_newest_first_and_filters_hold) {
  const auto one = Uuid::make_v7(start, random_);
  const auto two = Uuid::make_v7(start, random_);
  const auto add = [&](std::string_view name, const Uuid& about, std::optional<Uuid> actor, int at_s) {
    database_->blocking_write([&](storage::Transaction& transaction) {
      trail_.record(transaction,
                    {.name = name, .account_id = about, .actor_id = actor, .address = "192.0.2.1"},
                    start + seconds{at_s});
    });
  };
  add("authn_login_success", one, std::nullopt, 1);
  add("authz_change", two, one, 2);
  add("authn_login_success", two, std::nullopt, 2);  // the same time: the sequence decides
  add("user_deleted", two, std::nullopt, 3);
  const auto names = [&](const AuditFilter& filter, std::optional<AuditPosition> before = {},
                         int limit = 10) {
    std::string text;
    database_->blocking_read([&](storage::Transaction& transaction) {
      for (const auto& row : list_audit_events(transaction, filter, before, limit)) text += row.event + " ";
    });
    return text;
  };
  EXPECT_EQ(names({}), "user_deleted authn_login_success authz_change authn_login_success ");
  EXPECT_EQ(names({.account_id = one}), "authz_change authn_login_success ");  // also what they did
  EXPECT_EQ(names({.event = "user_deleted"}), "user_deleted ");
  EXPECT_EQ(names({.address = "192.0.2.2"}), "");
  EXPECT_EQ(names({.since = start + seconds{2}, .until = start + seconds{3}}),
            "authn_login_success authz_change ");
  const auto first = database_->blocking_read(
      [](storage::Transaction& transaction) { return list_audit_events(transaction, {}, std::nullopt, 2); });
  const auto position = AuditPosition::parse(AuditPosition::of(first.back()).to_string());
  ASSERT_TRUE(position);
  EXPECT_EQ(names({}, position), "authz_change authn_login_success ");
  for (const std::string_view bad : {"", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.3 ", "1..3"})
    EXPECT_FALSE(AuditPosition::parse(bad)) << bad;
}

TEST_F(AuditTrailTest, L2_an_address_of_mail_is_shown_as_configured) {
  const auto shown = [&](EmailInEvents how, std::string email) {
    return AuditTrail{master_key_, how, random_}.shown({.name = "x", .email = std::move(email)}).email;
  };
  EXPECT_EQ(shown(EmailInEvents::off, "Ada@Example.com"), "");
  EXPECT_EQ(shown(EmailInEvents::plain, "Ada@Example.com"), "Ada@Example.com");
  const auto hashed = shown(EmailInEvents::hashed, "Ada@Example.com");
  EXPECT_TRUE(hashed.starts_with("hmac:")) << hashed;
  EXPECT_EQ(hashed.find("example"), std::string::npos);
  EXPECT_EQ(shown(EmailInEvents::hashed, "ada@example.COM"), hashed);
  EXPECT_NE(shown(EmailInEvents::hashed, "bob@example.com"), hashed);
}

TEST_F(AuditTrailTest, L2_texts_are_cut_and_storable) {
  const auto event = trail_.shown(
      {.name = "x", .user_agent = std::string(10'000, 'u'), .reason = std::string{"a\xff\0b", 4}});
  EXPECT_LE(event.user_agent.size(), limits::audit_text_max_bytes);
  database_->blocking_write(
      [&](storage::Transaction& transaction) { trail_.record(transaction, event, start); });
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(AuditTrailTest, refusals_become_rows_and_changes_become_lines_after_their_commit) {
  const ManualClock clock{start};
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  {
    EventLog log{ends[1], &trail_, database_.get(), clock};
    for (int i = 0; i < 100; ++i) log.emit({.name = "authn_login_fail", .detail = std::to_string(i)});
    database_
        ->blocking_write([&](storage::Transaction& transaction) -> Result<void> {
          log.record(transaction, {.name = "user_deleted"});
          return fail(ErrorCode::conflict, "rolled back: neither row nor line");
        })
        .error();
    database_->blocking_write(
        [&](storage::Transaction& transaction) { log.record(transaction, {.name = "user_created"}); });
    log.finish_rows();
    log.emit({.name = "sys_shutdown"});  // too late for a row
  }
  ::close(ends[1]);
  std::string text(64 * 1024, '\0');
  text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
  ::close(ends[0]);
  EXPECT_EQ(std::ranges::count(text, '\n'), 102);
  EXPECT_EQ(text.find("user_deleted"), std::string::npos);
  EXPECT_EQ(rows().size(), 101U);
  EXPECT_EQ(broken(), "");
}

TEST_F(AuditTrailTest, a_flood_of_refusals_cannot_fill_the_disk) {
  ManualClock clock{start};
  EventLog log{EventLog::no_output, &trail_, database_.get(), clock};
  constexpr auto flood = 3 * limits::audit_refusals_burst;
  for (std::size_t i = 0; i < flood; ++i) log.emit({.name = "authn_login_fail", .email = "ada@example.com"});
  clock.advance(seconds{1});
  log.emit({.name = "authn_login_lock", .email = "ada@example.com"});
  log.finish_rows();
  std::size_t stored = 0;
  std::size_t omitted = 0;  // told in one row of each group that was stored meanwhile
  bool is_told = false;
  for (const auto& row : rows()) {
    if (row.event == "authn_login_fail") ++stored;
    if (row.event == "audit_refusals_omitted") omitted += std::stoul(row.detail.substr(6));
    if (row.event == "authn_login_lock") is_told = true;
  }
  EXPECT_EQ(stored, limits::audit_refusals_burst);
  EXPECT_EQ(omitted, flood - limits::audit_refusals_burst);
  EXPECT_TRUE(is_told);
}

TEST_F(AuditTrailTest, a_flood_of_nobodys_refusals_hides_no_guessing) {
  const ManualClock clock{start};
  EventLog log{EventLog::no_output, &trail_, database_.get(), clock};
  for (std::size_t i = 0; i < 3 * limits::audit_refusals_burst; ++i) log.emit({.name = "authz_fail"});
  for (std::size_t i = 0; i < 100; ++i) log.emit({.name = "authn_login_fail", .email = "ada@example.com"});
  log.finish_rows();
  const auto stored = rows();
  const auto count = [&](std::string_view name) {
    return std::ranges::count_if(stored, [&](const AuditRow& row) { return row.event == name; });
  };
  EXPECT_EQ(count("authz_fail"), static_cast<std::ptrdiff_t>(limits::audit_anonymous_burst));
  EXPECT_EQ(count("authn_login_fail"), 100);
}

TEST_F(AuditTrailTest, a_torn_line_is_ended_before_the_next_one) {
  const ManualClock clock{start};
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);  // an output that takes what it can and says EAGAIN
  constexpr int count = 3000;
  std::string text;
  {
    EventLog log{ends[1], nullptr, nullptr, clock};
    std::jthread reader{[&] {
      std::array<char, 1000> buffer{};
      while (std::ranges::count(text, '\n') < count) {
        const auto size = ::read(ends[0], buffer.data(), buffer.size());
        if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
      }
    }};
    for (int i = 0; i < count; ++i) log.emit({.name = "authn_login_fail", .detail = std::to_string(i)});
  }
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(std::ranges::count(text, '\n'), count);
  EXPECT_EQ(std::ranges::count(text, '{'), count);
  EXPECT_NE(text.find("\"2999\""), std::string::npos);
}

}  // namespace
}  // namespace keyward::domain
