#include "domain/identities/identities.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/identities/handover_codes.hpp"
#include "domain/identities/provider_logins.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};
constexpr int threads_count = 64;

class IdentitiesInDatabase : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    database_ = storage::conformance::open_database(GetParam(), folder_.path());
    ASSERT_TRUE(storage::blocking_migrate(*database_, start));
    ada_ = add_account("ada@example.com", "hash");
  }

  template <class F>
  auto write(F f) {
    return database_->blocking_write(std::move(f));
  }
  Uuid add_account(const std::string& email, std::optional<std::string> password_hash) {
    const NewAccount account{.id = Uuid::make_v7(start, random_),
                             .email = {email, email},
                             .full_name = std::nullopt,
                             .password_hash = std::move(password_hash),
                             .created_at = start};
    EXPECT_TRUE(write([&](storage::Transaction& t) { return insert_account(t, account); }));
    return account.id;
  }
  bool connect(const IdentityKey& key, const Uuid& account, Time now = start) {
    return write(
        [&](storage::Transaction& t) { return insert_identity(t, key, account, "a@x.example", now); });
  }
  Result<void> disconnect(const Uuid& account, std::string_view provider) {
    return write([&](storage::Transaction& t) { return remove_identity(t, account, provider); });
  }
  std::optional<Uuid> owner_of(const IdentityKey& key) {
    return write([&](storage::Transaction& t) { return find_identity_owner(t, key); });
  }
  std::string make_code(const Uuid& account, std::optional<Uuid> session, const std::string& provider) {
    const NewHandoverCode wanted{.account_id = account,
                                 .session_id = session,
                                 .identity = {provider, "https://op.example", "s1"},
                                 .email = "a@x.example",
                                 .code_challenge = "c",
                                 .device = {"agent", "192.0.2.1"}};
    return write([&](storage::Transaction& t) { return insert_handover_code(t, wanted, start, random_); });
  }
  std::optional<HandoverCode> use_login(std::string_view code, Time now = start) {
    return write([&](storage::Transaction& t) { return use_login_code(t, code, now); });
  }
  std::optional<HandoverCode> use_connect(std::string_view code, const Uuid& account, const Uuid& session) {
    return write([&](storage::Transaction& t) { return use_connect_code(t, code, account, session, start); });
  }
  /// How many of 64 threads that do it at once say yes.
  template <class F>
  int winners(F attempt) {
    std::latch all_here{threads_count};
    std::atomic<int> won = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < threads_count; ++i) {
        threads.emplace_back([&, i] {
          all_here.arrive_and_wait();
          if (attempt(i)) ++won;
        });
      }
    }
    return won;
  }

  storage::conformance::TemporaryFolder folder_;
  crypto::SystemRandom random_;
  std::unique_ptr<storage::Database> database_;
  Uuid ada_;
};

TEST_P(IdentitiesInDatabase, F1_an_identity_is_its_provider_its_issuer_and_its_subject) {
  const auto bob = add_account("bob@example.com", "hash");
  const IdentityKey key{"acme", "https://op.example", "s1"};
  ASSERT_TRUE(connect(key, ada_));
  EXPECT_EQ(owner_of(key), ada_);
  EXPECT_EQ(owner_of({"other", "https://op.example", "s1"}), std::nullopt);
  EXPECT_EQ(owner_of({"acme", "https://elsewhere.example", "s1"}), std::nullopt);
  EXPECT_EQ(owner_of({"acme", "https://op.example", "S1"}), std::nullopt);
  EXPECT_TRUE(connect({"other", "https://op.example", "s1"}, bob));
  EXPECT_EQ(owner_of(key), ada_);
}

TEST_P(IdentitiesInDatabase, an_identity_is_one_accounts_and_an_account_has_one_of_each_provider) {
  const auto bob = add_account("bob@example.com", "hash");
  const IdentityKey key{"acme", "https://op.example", "s1"};
  ASSERT_TRUE(connect(key, ada_));
  EXPECT_FALSE(connect(key, bob));
  EXPECT_FALSE(connect(key, ada_));
  EXPECT_FALSE(connect({"acme", "https://op.example", "s2"}, ada_));
  EXPECT_TRUE(connect({"acme", "https://another.example", "s1"}, ada_))
      << "the name was given to another issuer";
  EXPECT_EQ(owner_of(key), ada_);
}

TEST_P(IdentitiesInDatabase, F3_of_64_who_connect_one_identity_one_wins) {
  std::vector<Uuid> accounts;
  for (int i = 0; i < threads_count; ++i)
    accounts.push_back(add_account("p" + std::to_string(i) + "@example.com", "hash"));
  const IdentityKey key{"acme", "https://op.example", "s1"};
  EXPECT_EQ(winners([&](int i) { return connect(key, accounts.at(static_cast<std::size_t>(i))); }), 1);
}

TEST_P(IdentitiesInDatabase, the_last_way_in_stays) {
  const auto bob = add_account("bob@example.com", std::nullopt);
  ASSERT_TRUE(connect({"acme", "i", "s"}, bob));
  EXPECT_EQ(disconnect(bob, "other").error().code, ErrorCode::not_found);
  EXPECT_EQ(disconnect(bob, "acme").error().code, ErrorCode::conflict);
  ASSERT_TRUE(connect({"acme", "i", "a"}, ada_));
  EXPECT_TRUE(disconnect(ada_, "acme")) << "a password is a way in";
}

TEST_P(IdentitiesInDatabase, of_64_who_take_the_last_two_ways_in_one_wins) {
  const auto bob = add_account("bob@example.com", std::nullopt);
  ASSERT_TRUE(connect({"acme", "i", "s"}, bob));
  ASSERT_TRUE(connect({"other", "i", "s"}, bob));
  EXPECT_EQ(winners([&](int i) { return disconnect(bob, i % 2 == 0 ? "acme" : "other").has_value(); }), 1);
}

TEST_P(IdentitiesInDatabase, F3_a_code_dies_with_its_provider_and_with_the_sessions) {
  const auto session = Uuid::make_v7(start, random_);
  ASSERT_TRUE(connect({"acme", "https://op.example", "s1"}, ada_));
  const auto to_connect = make_code(ada_, session, "acme");
  const auto to_log_in = make_code(ada_, std::nullopt, "acme");
  const auto elsewhere = make_code(ada_, std::nullopt, "other");
  ASSERT_TRUE(disconnect(ada_, "acme"));
  EXPECT_FALSE(use_connect(to_connect, ada_, session));
  EXPECT_FALSE(use_login(to_log_in));
  EXPECT_TRUE(use_login(elsewhere));
  const auto later = make_code(ada_, std::nullopt, "other");
  write([&](storage::Transaction& t) { return end_sessions(t, ada_, std::nullopt, "test", start); });
  EXPECT_FALSE(use_login(later));
}

TEST_P(IdentitiesInDatabase, F3_a_code_to_connect_is_the_accounts_and_the_sessions_that_asked) {
  const auto session = Uuid::make_v7(start, random_);
  const auto bob = add_account("bob@example.com", "hash");
  const auto code = make_code(ada_, session, "acme");
  EXPECT_FALSE(use_connect(code, bob, session));
  EXPECT_FALSE(use_connect(code, ada_, Uuid::make_v7(start, random_)));
  EXPECT_FALSE(use_login(code)) << "it is no code to log in";
  const auto used = use_connect(code, ada_, session);
  ASSERT_TRUE(used);
  EXPECT_EQ(used->identity(), (IdentityKey{"acme", "https://op.example", "s1"}));
  EXPECT_FALSE(use_connect(code, ada_, session));
}

TEST_P(IdentitiesInDatabase, of_64_who_use_one_code_or_come_back_with_one_login_one_wins) {
  const auto code = make_code(ada_, std::nullopt, "acme");
  EXPECT_EQ(winners([&](int) { return use_login(code).has_value(); }), 1);
  EXPECT_EQ(winners([&](int) {
              return write([&](storage::Transaction& t) {
                return domain::use_login(t, "state", start + limits::provider_login_lifetime);
              });
            }),
            1);
}

TEST_P(IdentitiesInDatabase, a_code_is_good_for_a_minute) {
  const auto late = start + limits::exchange_code_lifetime;
  EXPECT_FALSE(use_login(make_code(ada_, std::nullopt, "acme"), late));
  EXPECT_TRUE(use_login(make_code(ada_, std::nullopt, "acme"), late - microseconds{1}));
}

TEST_P(IdentitiesInDatabase, a_used_code_tells_what_came_of_it) {
  const auto code = make_code(ada_, std::nullopt, "acme");
  const auto find = [&] { return write([&](storage::Transaction& t) { return find_used_code(t, code); }); };
  const auto session = Uuid::make_v7(start, random_);
  EXPECT_FALSE(find());
  ASSERT_TRUE(use_login(code));
  write([&](storage::Transaction& t) {
    note_session_of_code(t, code, session);
    return true;
  });
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->session_id, session);
}

TEST_P(IdentitiesInDatabase, what_was_added_goes_and_the_first_one_too_when_the_address_is_another) {
  const auto bob = add_account("bob@example.com", std::nullopt);
  const auto connect_as = [&](const std::string& provider, const std::string& email, Time now) {
    return write(
        [&](storage::Transaction& t) { return insert_identity(t, {provider, "i", "s"}, bob, email, now); });
  };
  const auto remove = [&] {
    return write([&](storage::Transaction& t) { return remove_added_identities(t, bob); });
  };
  ASSERT_TRUE(connect_as("first", "Bob@Example.com", start));
  ASSERT_TRUE(connect_as("added", "bob@example.com", start + seconds{1}));
  EXPECT_EQ(remove(), 1);
  EXPECT_EQ(owner_of({"first", "i", "s"}), bob);
  write([&](storage::Transaction& t) {
    note_identity_login(t, {"first", "i", "s"}, "thief@example.com", start + seconds{2});
    return true;
  });
  EXPECT_EQ(remove(), 1);
}

TEST_P(IdentitiesInDatabase, what_has_expired_is_swept) {
  make_code(ada_, std::nullopt, "acme");
  write([&](storage::Transaction& t) { return domain::use_login(t, "state", start + seconds{1}); });
  const auto expired = [&](Time now) {
    return write([&](storage::Transaction& t) { return has_expired_provider_logins(t, now); });
  };
  EXPECT_FALSE(expired(start));
  const auto late = start + limits::session_kept_after_expiry + limits::exchange_code_lifetime + seconds{1};
  EXPECT_TRUE(expired(late));
  write([&](storage::Transaction& t) {
    sweep_provider_logins(t, late);
    return true;
  });
  EXPECT_FALSE(expired(late));
}

INSTANTIATE_TEST_SUITE_P(Engines, IdentitiesInDatabase, testing::Values("sqlite", "postgres"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace keyward::domain
