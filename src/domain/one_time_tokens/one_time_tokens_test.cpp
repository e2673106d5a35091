#include "domain/one_time_tokens/one_time_tokens.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "domain/accounts/accounts.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};
constexpr int threads_count = 64;
constexpr std::array purposes{TokenPurpose::verify_email, TokenPurpose::reset_password,
                              TokenPurpose::change_email, TokenPurpose::undo_email_change};

class OneTimeTokensInDatabase : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    database_ = storage::conformance::open_database(GetParam(), folder_.path());
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
    account_ = add_account("ada@example.com");
  }

  template <class F>
  auto write(F f) {
    return database_->blocking_write(std::move(f));
  }
  Uuid add_account(const std::string& email) {
    const NewAccount account{.id = Uuid::make_v7(start, random_),
                             .email = {email, email},
                             .full_name = std::nullopt,
                             .password_hash = "x",
                             .created_at = start};
    EXPECT_TRUE(write([&](storage::Transaction& t) { return insert_account(t, account); }));
    return account.id;
  }
  IssuedToken issue(TokenPurpose purpose, const Secret& transaction = {}, Time now = start) {
    const NewOneTimeToken wanted{.account_id = account_,
                                 .purpose = purpose,
                                 .email = {"ada@example.com", "ada@example.com"},
                                 .transaction_hash = transaction.empty()
                                                         ? std::nullopt
                                                         : std::optional{hash_one_time(transaction.bytes())},
                                 .session_id = std::nullopt,
                                 .reserves_email = true};
    return write([&](storage::Transaction& t) {
      if (wanted.transaction_hash) begin_code_transaction(t, *wanted.transaction_hash, now);
      return tokens_.issue(t, wanted, now);
    });
  }
  Presented present(TokenPurpose purpose, std::string_view token, Time now = start) {
    const Proof proof{Secret{token}, {}, {}};
    return write([&](storage::Transaction& t) { return tokens_.present(t, purpose, proof, now); });
  }
  Presented present_code(TokenPurpose purpose, const Secret& transaction, std::string_view code,
                         Time now = start) {
    const Proof proof{{}, transaction.copy(), Secret{code}};
    return write([&](storage::Transaction& t) { return tokens_.present(t, purpose, proof, now); });
  }
  bool consume(const Uuid& id, TokenPurpose purpose, Time now = start) {
    return write([&](storage::Transaction& t) { return consume_token(t, id, purpose, now); });
  }

  storage::conformance::TemporaryFolder folder_;
  crypto::SystemRandom random_;
  std::unique_ptr<storage::Database> database_;
  crypto::MasterKey master_key_ = crypto::MasterKey::generate(random_);
  OneTimeTokens tokens_{master_key_, random_};
  Uuid account_;
};

TEST_P(OneTimeTokensInDatabase, R1_a_token_of_one_purpose_opens_no_other_door) {
  for (const auto issued_for : purposes) {
    const auto transaction = tokens_.make_transaction();
    const auto issued = issue(issued_for, transaction);
    for (const auto door : purposes) {
      const bool own = door == issued_for;
      EXPECT_EQ(present(door, issued.token).token.has_value(), own);
      EXPECT_EQ(present_code(door, transaction, issued.code).token.has_value(), own);
      if (const auto row = present(issued_for, issued.token).token; !own)
        EXPECT_FALSE(consume(row->id, door));
    }
  }
}

TEST_P(OneTimeTokensInDatabase, R3_a_newer_token_takes_the_place_of_the_older_but_undoing_stays_possible) {
  for (const auto purpose : purposes) {
    const auto older = issue(purpose);
    const auto newer = issue(purpose);
    EXPECT_EQ(present(purpose, older.token).token.has_value(), purpose == TokenPurpose::undo_email_change);
    EXPECT_TRUE(present(purpose, newer.token).token);
  }
}

TEST_P(OneTimeTokensInDatabase, R3_a_change_kills_all_but_the_way_back) {
  std::vector<IssuedToken> issued;
  for (const auto purpose : purposes) issued.push_back(issue(purpose));
  write([&](storage::Transaction& t) { revoke_tokens(t, account_); });
  for (std::size_t i = 0; i < purposes.size(); ++i) {
    EXPECT_EQ(present(purposes.at(i), issued[i].token).token.has_value(),
              purposes.at(i) == TokenPurpose::undo_email_change);
  }
}

TEST_P(OneTimeTokensInDatabase, R1_a_token_ends_with_its_time) {
  const auto issued = issue(TokenPurpose::reset_password);
  EXPECT_EQ(issued.expires_at, start + std::chrono::hours{1});
  const auto row = present(TokenPurpose::reset_password, issued.token, issued.expires_at - microseconds{1});
  ASSERT_TRUE(row.token);
  EXPECT_FALSE(present(TokenPurpose::reset_password, issued.token, issued.expires_at).token);
  EXPECT_FALSE(consume(row.token->id, TokenPurpose::reset_password, issued.expires_at));
}

TEST_P(OneTimeTokensInDatabase, R9_a_code_counts_with_its_own_transaction_for_ten_minutes) {
  const auto transaction = tokens_.make_transaction();
  const auto issued = issue(TokenPurpose::reset_password, transaction);
  const auto other = tokens_.make_transaction();
  EXPECT_FALSE(present_code(TokenPurpose::reset_password, other, issued.code).token);
  EXPECT_FALSE(present_code(TokenPurpose::reset_password, Secret{}, issued.code).token);
  const auto last_moment = start + limits::one_time_code_lifetime - microseconds{1};
  EXPECT_TRUE(present_code(TokenPurpose::reset_password, transaction, issued.code, last_moment).token);
  EXPECT_FALSE(
      present_code(TokenPurpose::reset_password, transaction, issued.code, last_moment + microseconds{1})
          .token);
  EXPECT_TRUE(present(TokenPurpose::reset_password, issued.token, last_moment + microseconds{1}).token)
      << "the link stays good";
}

TEST_P(OneTimeTokensInDatabase, R9_a_code_is_read_as_people_type_it) {
  const auto transaction = tokens_.make_transaction();
  const auto issued = issue(TokenPurpose::verify_email, transaction);
  ASSERT_EQ(issued.code.size(), 9U);
  EXPECT_EQ(issued.code.at(4), '-');
  std::string typed = " ";
  for (const char c : issued.code) {
    if (c == '-') continue;
    typed += c == '0' ? 'o' : c == '1' ? 'l' : c >= 'A' ? static_cast<char>(c - 'A' + 'a') : c;
    typed += ' ';
  }
  EXPECT_TRUE(present_code(TokenPurpose::verify_email, transaction, typed).token) << typed;
}

TEST_P(OneTimeTokensInDatabase, R9_the_right_code_is_no_try_and_the_sixth_is_not_looked_at) {
  const auto transaction = tokens_.make_transaction();
  const auto issued = issue(TokenPurpose::reset_password, transaction);
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(present_code(TokenPurpose::reset_password, transaction, issued.code).token);
  for (int i = 1; i <= limits::one_time_code_tries_max; ++i) {
    const auto wrong = present_code(TokenPurpose::reset_password, transaction, "????????");
    EXPECT_FALSE(wrong.token);
    EXPECT_EQ(wrong.account_id, account_);
    EXPECT_EQ(wrong.was_last_try, i == limits::one_time_code_tries_max);
  }
  const auto sixth = present_code(TokenPurpose::reset_password, transaction, issued.code);
  EXPECT_FALSE(sixth.token);
  EXPECT_FALSE(sixth.account_id);
}

TEST_P(OneTimeTokensInDatabase, R9_parallel_wrong_codes_are_compared_five_times) {
  const auto transaction = tokens_.make_transaction();
  const auto issued = issue(TokenPurpose::reset_password, transaction);
  std::atomic<int> compared = 0;
  std::latch ready{threads_count};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_count; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        if (present_code(TokenPurpose::reset_password, transaction, "????????").account_id) ++compared;
      });
    }
  }
  EXPECT_EQ(compared, limits::one_time_code_tries_max);
  EXPECT_FALSE(present_code(TokenPurpose::reset_password, transaction, issued.code).token);
}

TEST_P(OneTimeTokensInDatabase, A6_a_code_is_tried_in_the_same_way_where_no_mail_was_sent) {
  const auto transaction = tokens_.make_transaction();
  write(
      [&](storage::Transaction& t) { begin_code_transaction(t, hash_one_time(transaction.bytes()), start); });
  for (int i = 1; i <= limits::one_time_code_tries_max + 1; ++i) {
    const auto wrong = present_code(TokenPurpose::reset_password, transaction, "????????");
    EXPECT_FALSE(wrong.token);
    EXPECT_EQ(wrong.was_last_try, i == limits::one_time_code_tries_max);
  }
}

TEST_P(OneTimeTokensInDatabase, R1_what_is_none_of_ours_is_told_by_its_form) {
  const auto transaction = tokens_.make_transaction();
  const auto issued = issue(TokenPurpose::reset_password, transaction);
  const auto is_one = [](std::string_view token, TokenPurpose purpose) {
    return has_form_of(Proof{Secret{token}, {}, {}}, purpose);
  };
  EXPECT_TRUE(is_one(issued.token, TokenPurpose::reset_password));
  EXPECT_FALSE(is_one(issued.token, TokenPurpose::verify_email));
  EXPECT_FALSE(is_one(issued.token + "A", TokenPurpose::reset_password));
  EXPECT_FALSE(is_one("kw_rp_", TokenPurpose::reset_password));
  EXPECT_TRUE(has_form_of(Proof{{}, transaction.copy(), Secret{issued.code}}, TokenPurpose::reset_password));
  EXPECT_FALSE(has_form_of(Proof{{}, transaction.copy(), Secret{"K7PM"}}, TokenPurpose::reset_password));
  EXPECT_FALSE(has_form_of(Proof{{}, Secret{"kw_tx_x"}, Secret{issued.code}}, TokenPurpose::reset_password));
}

TEST_P(OneTimeTokensInDatabase, R3_the_order_of_undoing_hangs_on_no_clock) {
  const auto first = issue(TokenPurpose::undo_email_change);
  const auto second = issue(TokenPurpose::undo_email_change, {}, start - std::chrono::hours{1});
  const auto row = present(TokenPurpose::undo_email_change, first.token).token;
  ASSERT_TRUE(row);
  write([&](storage::Transaction& t) { revoke_undo_tokens_since(t, account_, row->created_at); });
  EXPECT_FALSE(present(TokenPurpose::undo_email_change, second.token).token);
}

TEST_P(OneTimeTokensInDatabase, R2_one_of_many_parallel_uses_wins) {
  const auto issued = issue(TokenPurpose::reset_password);
  const auto row = present(TokenPurpose::reset_password, issued.token).token;
  ASSERT_TRUE(row);
  std::atomic<int> won = 0;
  std::latch ready{threads_count};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < threads_count; ++i) {
      threads.emplace_back([&] {
        ready.arrive_and_wait();
        if (consume(row->id, TokenPurpose::reset_password)) ++won;
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_FALSE(present(TokenPurpose::reset_password, issued.token).token);
}

TEST_P(OneTimeTokensInDatabase, an_address_that_can_be_gone_back_to_is_nobody_elses_meanwhile) {
  const auto undo = issue(TokenPurpose::undo_email_change);
  EXPECT_TRUE(write([&](storage::Transaction& t) {
    return set_email(t, account_, {"new@example.com", "new@example.com"}, start);
  }));
  const auto other = add_account("other@example.com");
  const auto taken = [&](Time now) {
    return write([&](storage::Transaction& t) {
      return set_email(t, other, {"ada@example.com", "ada@example.com"}, now);
    });
  };
  ASSERT_FALSE(taken(start));
  EXPECT_EQ(taken(start).error().code, ErrorCode::conflict);
  const NewAccount thief{.id = Uuid::make_v7(start, random_),
                         .email = {"ada@example.com", "ada@example.com"},
                         .full_name = std::nullopt,
                         .password_hash = "x",
                         .created_at = start};
  EXPECT_FALSE(write([&](storage::Transaction& t) { return insert_account(t, thief); }));
  EXPECT_TRUE(taken(undo.expires_at));
}

TEST_P(OneTimeTokensInDatabase, of_two_who_want_one_address_one_gets_it) {
  const auto other = add_account("other@example.com");
  std::atomic<int> won = 0;
  std::latch ready{2};
  {
    std::vector<std::jthread> threads;
    for (const auto& id : {account_, other}) {
      threads.emplace_back([&, id] {
        ready.arrive_and_wait();
        const auto set = write([&](storage::Transaction& t) {
          return set_email(t, id, {"wanted@example.com", "wanted@example.com"}, start);
        });
        if (set) ++won;
      });
    }
  }
  EXPECT_EQ(won, 1);
}

TEST_P(OneTimeTokensInDatabase, what_has_expired_is_swept) {
  const auto issued = issue(TokenPurpose::verify_email);
  EXPECT_EQ(write([&](storage::Transaction& t) { return sweep_tokens(t, issued.expires_at); }), 0);
  EXPECT_EQ(write([&](storage::Transaction& t) { return sweep_tokens(t, issued.expires_at + seconds{1}); }),
            1);
}

INSTANTIATE_TEST_SUITE_P(Engines, OneTimeTokensInDatabase, testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace keyward::domain
