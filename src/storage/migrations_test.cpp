#include "storage/migrations.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "storage/conformance/engine.hpp"

namespace keyward::storage {
namespace {

using conformance::Engine;
using testing::HasSubstr;

constexpr Time now{microseconds{1'764'000'000'000'000}};
constexpr Migration one{1, "one", "c1",
                        "CREATE TABLE first (id BIGINT);\n-- and\nINSERT INTO first (id) VALUES (1);\n"};
constexpr Migration two{2, "two", "c2", "ALTER TABLE first ADD COLUMN name TEXT;"};
constexpr Migration added{2, "added", "c3", "ALTER TABLE first ADD COLUMN name TEXT;", MigrationKind::expand};
constexpr Migration added_too{3, "added_too", "c4", "CREATE TABLE third (id BIGINT);", MigrationKind::expand};
constexpr Migration broken{2, "two", "c2",
                           "CREATE TABLE second (id BIGINT); CREATE TABLE first (id BIGINT);"};

Migration edited(Migration migration) {
  migration.checksum_hex = "other";
  return migration;
}

class Migrations : public testing::TestWithParam<Engine> {
 protected:
  std::unique_ptr<Database> open() {
    auto opened = GetParam().open(folder_.path(), {});
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  static std::string refusal(Database& database, const std::vector<Migration>& migrations) {
    const auto planned = blocking_plan_migrations(database, migrations);
    const auto migrated = blocking_migrate(database, now, migrations);
    if (planned || migrated) return "(accepted)";
    EXPECT_EQ(planned.error().message, migrated.error().message);
    return migrated.error().message;
  }
  conformance::TemporaryFolder folder_;
};
KEYWARD_FOR_EVERY_ENGINE(Migrations);

TEST_P(Migrations, run_once_in_order_and_are_recorded) {
  const auto database = open();
  const std::vector known{one, two};
  EXPECT_EQ(blocking_plan_migrations(*database, known)->size(), 2U);
  EXPECT_EQ(blocking_migrate(*database, now, known)->size(), 2U);
  EXPECT_EQ(blocking_plan_migrations(*database, known)->size(), 0U);
  EXPECT_EQ(blocking_migrate(*database, now, known)->size(), 0U);
  database->blocking_read([](Transaction& t) {
    EXPECT_EQ(t.get<std::int64_t>("SELECT id FROM first WHERE name IS NULL"), 1);
    EXPECT_EQ(t.get<std::string>("SELECT checksum FROM schema_migrations WHERE number = 2"), "c2");
    EXPECT_EQ(t.get<Time>("SELECT applied_at_us FROM schema_migrations WHERE number = 2"), now);
  });
}

TEST_P(Migrations, a_plan_changes_nothing) {
  const auto database = open();
  EXPECT_EQ(blocking_plan_migrations(*database, std::vector{one})->front().name, "one");
  EXPECT_EQ(blocking_plan_migrations(*database, std::vector{one})->size(), 1U);
}

TEST_P(Migrations, one_that_fails_leaves_no_trace) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one}));
  EXPECT_THROW(EXPECT_FALSE(blocking_migrate(*database, now, std::vector{one, broken})), Failure);
  database->blocking_read([](Transaction& t) {
    EXPECT_EQ(t.list<std::int64_t>("SELECT number FROM schema_migrations"), std::vector<std::int64_t>{1});
  });
  EXPECT_THROW(database->blocking_read([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM second"); }),
               std::logic_error);
}

TEST_P(Migrations, a_new_database_is_made_as_a_whole_or_not_at_all) {
  const auto database = open();
  EXPECT_THROW(EXPECT_FALSE(blocking_migrate(*database, now, std::vector{one, broken})), Failure);
  EXPECT_EQ(blocking_plan_migrations(*database, std::vector{one, two})->size(), 2U);
  EXPECT_EQ(blocking_migrate(*database, now, std::vector{one, two})->size(), 2U);
}

TEST_P(Migrations, a_newer_schema_is_refused) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one, two}));
  EXPECT_THAT(refusal(*database, {one}), HasSubstr("newer than this program"));
}

TEST_P(Migrations, a_newer_schema_that_only_adds_is_good_for_an_older_program) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one, added, added_too}));
  for (const auto& known : {std::vector{one}, std::vector{one, added}}) {
    EXPECT_THAT(*blocking_plan_migrations(*database, known), testing::IsEmpty());
    EXPECT_THAT(*blocking_migrate(*database, now, known), testing::IsEmpty());
  }
  EXPECT_THAT(refusal(*database, {edited(one)}), HasSubstr("another text"));
}

TEST_P(Migrations, one_among_the_unknown_that_takes_away_refuses_an_older_program) {
  const auto database = open();
  Migration taken = added_too;
  taken.kind = MigrationKind::contract;
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one, added, taken}));
  EXPECT_THAT(refusal(*database, {one}), HasSubstr("newer than this program: it has migration 3"));
  EXPECT_THAT(*blocking_plan_migrations(*database, std::vector{one, added, taken}), testing::IsEmpty());
}

TEST_P(Migrations, a_gap_among_the_unknown_is_refused) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one, added, added_too}));
  database->blocking_write(
      [](Transaction& t) { t.execute("DELETE FROM schema_migrations WHERE number = 2"); });
  EXPECT_THAT(refusal(*database, {one}), HasSubstr("newer than this program"));
}

/// As the versions before 0006 made it.
TEST_P(Migrations, a_record_without_kinds_gets_them) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one}));
  database->blocking_write(
      [](Transaction& t) { t.execute("ALTER TABLE schema_migrations DROP COLUMN kind"); });
  EXPECT_EQ(blocking_plan_migrations(*database, std::vector{one, added})->size(), 1U);
  EXPECT_THAT(refusal(*database, {}), HasSubstr("newer"));
  EXPECT_EQ(blocking_migrate(*database, now, std::vector{one, added})->size(), 1U);
  database->blocking_read([](Transaction& t) {
    EXPECT_EQ(t.list<std::string>("SELECT kind FROM schema_migrations ORDER BY number"),
              (std::vector<std::string>{"contract", "expand"}));
  });
}

TEST_P(Migrations, a_changed_text_is_refused) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one}));
  EXPECT_THAT(refusal(*database, {edited(one), two}), HasSubstr("another text"));
}

TEST_P(Migrations, a_gap_is_refused) {
  const auto database = open();
  ASSERT_TRUE(blocking_migrate(*database, now, std::vector{one, two}));
  database->blocking_write(
      [](Transaction& t) { t.execute("DELETE FROM schema_migrations WHERE number = 1"); });
  EXPECT_THAT(refusal(*database, {one, two}), HasSubstr("lacks migration 1"));
}

TEST_P(Migrations, two_that_start_together_run_each_once) {
  const auto database = open();
  const auto other = open();
  std::atomic<std::size_t> ran = 0;
  const std::vector known{one, two};
  {
    const std::jthread here{[&] { ran += blocking_migrate(*database, now, known)->size(); }};
    const std::jthread there{[&] { ran += blocking_migrate(*other, now, known)->size(); }};
  }
  EXPECT_EQ(ran, 2U);
}

TEST_P(Migrations, the_built_in_ones_run) {
  const auto database = open();
  EXPECT_EQ(built_in_migrations().front().name, "begin");
  EXPECT_EQ(built_in_migrations().front().checksum_hex.size(), 64U);
  EXPECT_EQ(blocking_migrate(*database, now)->size(), built_in_migrations().size());
  const Uuid id{{1, 2, 3}};
  database->blocking_write([&](Transaction& t) {
    t.execute(
        "INSERT INTO accounts (id, email, email_normalized, created_at, updated_at) VALUES ($1, $2, $2, $3, "
        "$3)",
        id, "a@example.org", now);
    t.execute("INSERT INTO account_roles (account_id, role, granted_at) VALUES ($1, 'user', $2)", id, now);
    EXPECT_FALSE(t.get<bool>("SELECT disabled FROM accounts WHERE id = $1", id));
    EXPECT_EQ(t.execute("DELETE FROM accounts WHERE id = $1", id), 1);
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM account_roles"), 0);
  });
}

TEST(MigrationPlan, of_a_database_that_is_not_there_is_everything) {
  const conformance::TemporaryFolder folder;
  const auto plan = plan_migrations({.path = folder.path() / "none" / "keyward.db"});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->size(), built_in_migrations().size());
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none"));
}

}  // namespace
}  // namespace keyward::storage
