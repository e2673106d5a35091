#include "domain/roles/roles.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "crypto/system_random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/roles/rights.hpp"
#include "domain/setup/setup_token.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain {
namespace {

constexpr Time now{microseconds{1'764'000'000'000'000}};
const std::string admin{role_admin};
const std::string user{role_user};

class RolesInDatabase : public testing::Test {
 protected:
  RolesInDatabase() {
    auto opened = storage::Database::open({.path = folder_.path() / "test.db"});
    database_ = std::move(opened).value();
    EXPECT_TRUE(storage::blocking_migrate(*database_, now));
  }
  template <class F>
  auto write(F f) {
    return database_->blocking_write(std::move(f));
  }
  Uuid add(const std::string& name, std::vector<std::string> roles) {
    const NewAccount account{.id = Uuid::make_v7(now, random_),
                             .email = {name + "@example.com", name + "@example.com"},
                             .full_name = std::nullopt,
                             .password_hash = "x",
                             .roles = std::move(roles),
                             .created_at = now};
    EXPECT_TRUE(write([&](storage::Transaction& t) { return insert_account(t, account); }));
    return account.id;
  }
  Rights rights(const Uuid& id) {
    return write([&](storage::Transaction& t) { return read_rights(t, id); });
  }
  std::int64_t usable_admins() {
    return write([](storage::Transaction& t) {
      return t.get<std::int64_t>(
          "SELECT count(*) FROM accounts a JOIN account_roles r ON r.account_id = a.id "
          "WHERE r.role = 'admin' AND NOT a.disabled");
    });
  }
  Result<void> demote(const Uuid& id) {
    return write([&](storage::Transaction& t) { return change_roles(t, id, {{}, {admin}}, now); });
  }
  Result<void> disable(const Uuid& id) {
    return write([&](storage::Transaction& t) { return set_disabled(t, id, true, now); });
  }
  Result<void> remove(const Uuid& id) {
    return write([&](storage::Transaction& t) { return delete_account(t, id); });
  }

  storage::conformance::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
  crypto::SystemRandom random_;
};

TEST_F(RolesInDatabase, rights_are_those_of_all_roles_and_of_the_code_for_the_built_in_ones) {
  write([](storage::Transaction& t) {
    put_role(t, {"reader", std::nullopt, PermissionSet{}.add("users:read"), now, now});
    put_role(t, {"auditor", "Reads", PermissionSet{}.add("audit:read"), now, now});
    // What another release, or a hand, wrote.
    t.execute("INSERT INTO role_permissions (role, permission) VALUES ('reader', 'users:fly')");
    t.execute("INSERT INTO role_permissions (role, permission) VALUES ('user', 'users:delete')");
  });
  const auto both = rights(add("both", {"auditor", "reader", user}));
  EXPECT_EQ(both.roles, (std::vector<std::string>{"auditor", "reader", user}));
  EXPECT_EQ(both.permissions.names(), (std::vector<std::string>{"audit:read", "users:read"}));
  EXPECT_EQ(rights(add("plain", {user})).permissions, PermissionSet{});
  EXPECT_EQ(rights(add("chief", {admin})).permissions, PermissionSet::everything());
  EXPECT_TRUE(rights(Uuid{}).roles.empty());
}

TEST_F(RolesInDatabase, Z3_the_last_admin_cannot_be_demoted_disabled_or_deleted) {
  const auto first = add("first", {user, admin});
  const auto second = add("second", {admin});
  ASSERT_TRUE(disable(second));
  for (const auto& refused : {demote(first), disable(first), remove(first)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  }
  EXPECT_TRUE(remove(second));  // a disabled admin is none
  EXPECT_EQ(remove(second).error().code, ErrorCode::not_found);
  const auto third = add("third", {admin});
  EXPECT_TRUE(demote(first));
  EXPECT_EQ(demote(third).error().code, ErrorCode::conflict);
  EXPECT_TRUE(remove(first));
}

TEST_F(RolesInDatabase, R2_Z3_of_64_threads_that_demote_two_admins_none_removes_the_last) {
  for (int round = 0; round < 10; ++round) {
    const auto name = std::to_string(round);
    const std::array pair{add("left" + name, {admin}), add("right" + name, {admin})};
    write([&](storage::Transaction& t) {
      t.execute("DELETE FROM account_roles WHERE account_id <> $1 AND account_id <> $2", pair[0], pair[1]);
    });
    std::atomic<int> done = 0;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < 64; ++i) {
        threads.emplace_back([&, i] {
          const auto& whom = pair.at(i % 2);
          const auto how = i / 2 % 3;
          if (how == 0 ? demote(whom) : how == 1 ? disable(whom) : remove(whom)) ++done;
        });
      }
    }
    ASSERT_EQ(usable_admins(), 1);
    ASSERT_GE(done, 1);
  }
}

TEST_F(RolesInDatabase, a_role_that_somebody_has_is_not_deleted) {
  write([](storage::Transaction& t) { put_role(t, {"reader", std::nullopt, {}, now, now}); });
  const auto holder = add("holder", {"reader"});
  const auto drop = [&] { return write([](storage::Transaction& t) { return delete_role(t, "reader"); }); };
  EXPECT_EQ(drop().error().code, ErrorCode::conflict);
  EXPECT_TRUE(remove(holder));
  EXPECT_TRUE(drop());
  EXPECT_EQ(drop().error().code, ErrorCode::not_found);
}

TEST_F(RolesInDatabase, P12_a_setup_token_is_needed_until_there_is_an_admin_and_R2_taken_once) {
  const auto need = [&] { return write(find_setup_need); };
  const auto hash = hash_setup_token(make_setup_token(random_).bytes());
  const auto is_live = [&] {
    return write([&](storage::Transaction& t) { return is_setup_token_live(t, hash); });
  };
  EXPECT_EQ(need(), SetupNeed::token);
  EXPECT_FALSE(is_live());
  write([&](storage::Transaction& t) { replace_setup_token(t, hash, now); });
  add("somebody", {user});
  EXPECT_EQ(need(), SetupNeed::token);
  EXPECT_TRUE(is_live());

  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&] {
        if (write([&](storage::Transaction& t) { return consume_setup_token(t, hash, now); })) ++taken;
      });
    }
  }
  EXPECT_EQ(taken, 1);
  EXPECT_FALSE(is_live());
  EXPECT_EQ(need(), SetupNeed::none);  // there are accounts, and no token waits

  write([&](storage::Transaction& t) { replace_setup_token(t, hash_setup_token(as_bytes("other")), now); });
  add("chief", {admin});
  EXPECT_EQ(need(), SetupNeed::none);
  EXPECT_FALSE(write([](storage::Transaction& t) {
    return consume_setup_token(t, hash_setup_token(as_bytes("other")), now);
  }));
}

}  // namespace
}  // namespace keyward::domain
