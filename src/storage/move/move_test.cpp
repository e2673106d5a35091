// Moves from each engine to each, interrupted and disturbed.
#include "storage/move/move.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <tuple>

#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"
#include "storage/move/moves.hpp"

namespace keyward::storage {
namespace {

using testing::HasSubstr;

constexpr Time now{microseconds{1'764'000'000'000'000}};

/// No SHA-256 here: any function of all the bytes does.
std::array<std::uint8_t, 32> mix(BytesView bytes) {
  std::array<std::uint8_t, 32> state{};
  std::uint64_t hash = 14695981039346656037U;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hash = (hash ^ bytes[i]) * 1099511628211U;
    state.at(i % 32) ^= static_cast<std::uint8_t>(hash >> 32U);
  }
  return state;
}

class CountingRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

Uuid id_of(int number) {
  Uuid id{};
  // The low byte first: neither the order of insertion nor that of the engines' own.
  for (std::size_t i = 0; i < 4; ++i)
    id.bytes.at(i) = static_cast<std::uint8_t>(static_cast<unsigned>(number) >> (8 * i));
  return id;
}

void add_account(Transaction& t, int number) {
  const auto email = "a" + std::to_string(number) + "@example.org";
  t.execute(
      "INSERT INTO accounts (id, email, email_normalized, email_verified, full_name, created_at, updated_at) "
      "VALUES ($1, $2, $2, $3, $4, $5, $5)",
      id_of(number), email, number % 2 == 0,
      number % 3 == 0 ? std::optional<std::string>{} : std::optional{"Ünïcode " + email}, now);
  t.execute("INSERT INTO account_roles (account_id, role, granted_at) VALUES ($1, 'user', $2)", id_of(number),
            now);
  t.execute(
      "INSERT INTO sessions (id, account_id, generation, user_agent, address, created_at, last_used_at, "
      "idle_expires_at, expires_at, binding) VALUES ($1, $1, 1, '', '', $2, $2, $2, $2, $3)",
      id_of(number), now, Bytes(static_cast<std::size_t>(number % 5), std::uint8_t{7}));
}

struct Route {
  bool from_postgres, to_postgres;
};

class Moves : public testing::TestWithParam<Route> {
 protected:
  static DatabaseOptions options_of(bool postgres, const std::filesystem::path& folder, bool create) {
    DatabaseOptions options{.path = folder / "keyward.db", .create = create};
    if (postgres) options.postgres_url = Secret{conformance::postgres_url_of(folder)};
    return options;
  }
  [[nodiscard]] MoveOptions options(bool resume = false) const {
    return {.source = options_of(GetParam().from_postgres, from_.path(), false),
            .target = options_of(GetParam().to_postgres, to_.path(), true),
            .source_shown = "here",
            .target_shown = "there",
            .resume = resume,
            .sha256 = mix,
            .settle_time = {},
            .progress = {}};
  }
  std::unique_ptr<Database> open_source() const {
    return Database::open(options_of(GetParam().from_postgres, from_.path(), true)).value();
  }
  std::unique_ptr<Database> open_target() const { return Database::open(options().target).value(); }
  void fill(int accounts) const {
    const auto source = open_source();
    ASSERT_TRUE(blocking_migrate(*source, now));
    source->blocking_write([&](Transaction& t) {
      t.execute(
          "INSERT INTO roles (name, created_at, updated_at) VALUES ('Zed', 1, 1), ('émigré', 2, 2), ('a b', "
          "3, 3)");
      t.execute(
          "INSERT INTO role_permissions (role, permission) VALUES ('Zed', 'x:y'), ('Zed', 'X:y'), ('émigré', "
          "'a')");
      for (int i = 0; i < accounts; ++i) add_account(t, i);
    });
  }
  Result<ComparedTables> move(const MoveOptions& how) { return blocking_move(how, clock_, random_); }
  static std::int64_t count(Database& database) {
    return database.blocking_read(
        [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM accounts"); });
  }

  conformance::TemporaryFolder from_, to_;
  SystemClock clock_;
  CountingRandom random_;
};
INSTANTIATE_TEST_SUITE_P(Routes, Moves,
                         testing::Values(Route{false, false}, Route{false, true}, Route{true, false},
                                         Route{true, true}),
                         [](const auto& info) {
                           const auto name = [](bool postgres) { return postgres ? "postgres" : "sqlite"; };
                           return std::string{name(info.param.from_postgres)} + "_to_" +
                                  name(info.param.to_postgres);
                         });

TEST_P(Moves, every_row_arrives_and_the_source_refuses_writes) {
  fill(1234);
  const auto source = open_source();
  const auto moved = move(options());
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(find_difference(*moved), nullptr);
  const auto accounts = std::ranges::find(*moved, "accounts", [](const auto& t) { return t.source.table; });
  EXPECT_EQ(accounts->target.rows, 1234U);
  for (const auto& name : {"leases", "schema_migrations", "database_moves"})
    EXPECT_EQ(std::ranges::find(*moved, name, [](const auto& t) { return t.source.table; }), moved->end());

  // Also on connections that were open before, and what only reads goes on.
  EXPECT_THROW(source->blocking_write([](Transaction& t) { add_account(t, 5000); }), Unavailable);
  EXPECT_THROW(source->blocking_write([](Transaction& t) { t.execute("DELETE FROM sessions"); }),
               Unavailable);
  EXPECT_EQ(count(*source), 1234);
  EXPECT_THAT(source->blocking_read(check_in_use).error().message, HasSubstr("has moved to there"));

  const auto target = open_target();
  EXPECT_TRUE(target->blocking_read(check_in_use));
  target->blocking_write([](Transaction& t) { add_account(t, 5000); });
  EXPECT_EQ(count(*target), 1235);
}

TEST_P(Moves, one_that_dies_anywhere_is_resumed) {
  fill(1100);
  struct Died {};
  int commits = 0;
  std::optional<Result<ComparedTables>> moved;
  for (int dies_at = 1; !moved; dies_at += 4) {
    ASSERT_LT(dies_at, 100);
    auto how = options(commits != 0);
    int here = 0;
    how.progress = [&](std::string_view, std::size_t) {
      ++commits;
      if (++here == dies_at) throw Died{};
    };
    try {
      moved = move(how);
    } catch (const Died&) {
      EXPECT_THAT(open_target()->blocking_read(check_in_use).error().message, HasSubstr("not whole yet"));
      EXPECT_TRUE(open_source()->blocking_read(check_in_use));
      // Life goes on there: what was copied is changed, removed, and renamed to each other's address.
      open_source()->blocking_write([&](Transaction& t) {
        t.execute("DELETE FROM accounts WHERE id = $1", id_of(dies_at));
        t.execute("UPDATE accounts SET full_name = $2 WHERE id = $1", id_of(100 + dies_at), "renamed");
        t.execute("UPDATE accounts SET email_normalized = 'x' WHERE id = $1", id_of(200 + dies_at));
        t.execute(
            "UPDATE accounts SET email_normalized = (SELECT email FROM accounts WHERE id = $2) WHERE id = $1",
            id_of(300 + dies_at), id_of(200 + dies_at));
        t.execute("UPDATE accounts SET email_normalized = email || $2 WHERE id = $1", id_of(200 + dies_at),
                  std::to_string(dies_at));
        add_account(t, 4000 + dies_at);
      });
      EXPECT_THAT(move(options()).error().message, HasSubstr("--resume"));
    }
  }
  ASSERT_TRUE(*moved) << moved->error().message;
  EXPECT_EQ(find_difference(**moved), nullptr);
  EXPECT_EQ(count(*open_target()), 1100);
}

/// It died between the source's end and the target's beginning.
TEST_P(Moves, of_a_source_that_is_retired_already_it_is_finished) {
  fill(10);
  ASSERT_TRUE(move(options()));
  open_target()->blocking_write([](Transaction& t) {
    t.execute("UPDATE database_moves SET state = 'copying'");
    t.execute("DELETE FROM accounts WHERE id = $1", id_of(3));
  });
  EXPECT_FALSE(move(options()));
  EXPECT_FALSE(open_target()->blocking_read(check_in_use));
  const auto moved = move(options(true));
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(find_difference(*moved), nullptr);
  EXPECT_EQ(count(*open_target()), 10);
  // And what is finished is not copied over again, when people work with it.
  open_target()->blocking_write([](Transaction& t) { add_account(t, 77); });
  EXPECT_THAT(move(options(true)).error().message, HasSubstr("moved to there already"));
  EXPECT_EQ(count(*open_target()), 11);
}

/// Stopped between two commits, and going on when another process has finished the move.
TEST_P(Moves, H4_one_that_was_stopped_and_goes_on_changes_nothing_any_more) {
  fill(1100);
  auto stopped = options();
  int commits = 0;
  stopped.progress = [&](std::string_view, std::size_t) {
    if (++commits != 2) return;
    const auto finished = move(options(true));
    ASSERT_TRUE(finished) << finished.error().message;
    open_target()->blocking_write([](Transaction& t) {
      add_account(t, 7777);
      t.execute("DELETE FROM sessions WHERE id = $1", id_of(3));
    });
  };
  EXPECT_THAT(move(stopped).error().message, HasSubstr("taken over"));
  EXPECT_GE(commits, 2);
  EXPECT_EQ(count(*open_target()), 1101);
  EXPECT_EQ(open_target()->blocking_read([](Transaction& t) {
    return t.get<std::int64_t>("SELECT count(*) FROM sessions WHERE id = $1", id_of(3));
  }),
            0);
  EXPECT_TRUE(open_target()->blocking_read(check_in_use));
  EXPECT_FALSE(open_source()->blocking_read(check_in_use));
}

TEST_P(Moves, H4_one_that_was_given_up_for_another_target_never_ends) {
  fill(1100);
  const conformance::TemporaryFolder other;
  auto given_up = options();
  int commits = 0;
  given_up.progress = [&](std::string_view, std::size_t) {
    if (++commits != 2) return;
    auto elsewhere = options();
    elsewhere.target = options_of(GetParam().to_postgres, other.path(), true);
    elsewhere.target_shown = "elsewhere";
    const auto finished = move(elsewhere);
    ASSERT_TRUE(finished) << finished.error().message;
  };
  EXPECT_THAT(move(given_up).error().message, HasSubstr("taken over"));
  EXPECT_FALSE(open_target()->blocking_read(check_in_use));
  EXPECT_THAT(open_source()->blocking_read(check_in_use).error().message, HasSubstr("moved to elsewhere"));
  EXPECT_THAT(move(options(true)).error().message, HasSubstr("moved to elsewhere"));
  EXPECT_TRUE(Database::open(options_of(GetParam().to_postgres, other.path(), false))
                  .value()
                  ->blocking_read(check_in_use));
}

TEST_P(Moves, what_is_written_meanwhile_is_moved_or_refused) {
  fill(700);
  const auto source = open_source();
  std::atomic<bool> stop = false;
  std::vector<int> written;
  std::jthread writer{[&] {
    for (int number = 10'000; !stop; ++number) {
      try {
        source->blocking_write([&](Transaction& t) { add_account(t, number); });
        written.push_back(number);
      } catch (const Unavailable&) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      }
    }
  }};
  const auto moved = move(options());
  stop = true;
  writer.join();
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_GT(written.size(), 0U);
  EXPECT_EQ(count(*open_target()), 700 + static_cast<std::int64_t>(written.size()));
  EXPECT_EQ(find_difference(blocking_compare(options()).value()), nullptr);
}

TEST_P(Moves, a_changed_row_is_found) {
  fill(600);
  ASSERT_TRUE(move(options()));
  EXPECT_EQ(find_difference(blocking_compare(options()).value()), nullptr);
  const auto target = open_target();
  target->blocking_write(
      [](Transaction& t) { t.execute("UPDATE sessions SET generation = 2 WHERE id = $1", id_of(571)); });
  const auto compared = blocking_compare(options()).value();
  ASSERT_NE(find_difference(compared), nullptr);
  EXPECT_EQ(find_difference(compared)->source.table, "sessions");
  EXPECT_EQ(find_difference(compared)->source.rows, find_difference(compared)->target.rows);
}

TEST_P(Moves, what_fails_says_on_which_side) {
  fill(1100);
  auto how = options();
  int commits = 0;
  how.progress = [&](std::string_view, std::size_t) {
    if (++commits != 1) return;
    open_target()->blocking_write([](Transaction& t) {  // in the way of one that has still to come
      t.execute("UPDATE accounts SET email_normalized = 'a1023@example.org' WHERE id = $1", id_of(0));
    });
  };
  EXPECT_THAT(move(how).error().message, HasSubstr("the target: "));
}

TEST_P(Moves, somebody_elses_database_is_refused) {
  fill(3);
  {
    const auto target = open_target();
    ASSERT_TRUE(blocking_migrate(*target, now));
    target->blocking_write([](Transaction& t) { add_account(t, 9); });
  }
  EXPECT_THAT(move(options()).error().message, HasSubstr("not empty"));
  EXPECT_THAT(move(options(true)).error().message, HasSubstr("not empty"));
  EXPECT_TRUE(open_source()->blocking_read(check_in_use));
}

TEST_P(Moves, somebody_elses_database_is_not_migrated_either) {
  fill(3);
  const auto older = built_in_migrations().first(3);
  {
    const auto target = open_target();
    ASSERT_TRUE(blocking_migrate(*target, now, older));
    target->blocking_write([](Transaction& t) { add_account(t, 9); });
  }
  EXPECT_THAT(move(options()).error().message, HasSubstr("not empty"));
  EXPECT_EQ(open_target()->blocking_read(
                [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM schema_migrations"); }),
            3);
}

/// A move that died while it migrated.
TEST_P(Moves, a_target_that_was_migrated_by_half_is_gone_on_with) {
  fill(3);
  ASSERT_TRUE(blocking_migrate(*open_target(), now, built_in_migrations().first(3)));
  const auto moved = move(options());
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(count(*open_target()), 3);
}

TEST_P(Moves, a_database_that_is_half_filled_is_no_source) {
  fill(1100);
  struct Died {};
  auto how = options();
  how.progress = [](std::string_view, std::size_t) { throw Died{}; };
  EXPECT_THROW(std::ignore = move(how), Died);
  const conformance::TemporaryFolder third;
  auto onward = options();
  onward.source = options_of(GetParam().to_postgres, to_.path(), false);
  onward.target = options_of(false, third.path(), true);
  EXPECT_THAT(move(onward).error().message, HasSubstr("not whole yet"));
  EXPECT_FALSE(std::filesystem::exists(onward.target.path));
  EXPECT_THAT(blocking_check_in_use(*open_target()).error().message, HasSubstr("not whole yet"));
}

TEST(MovesOfOlderDatabases, are_none) {
  const conformance::TemporaryFolder folder;
  const auto database = Database::open({.path = folder.path() / "keyward.db"}).value();
  EXPECT_TRUE(blocking_check_in_use(*database));
  ASSERT_TRUE(blocking_migrate(*database, now, built_in_migrations().first(3)));
  EXPECT_TRUE(blocking_check_in_use(*database));
  ASSERT_TRUE(blocking_migrate(*database, now));
  EXPECT_TRUE(blocking_check_in_use(*database));
}

TEST_P(Moves, a_retired_source_can_be_reopened) {
  fill(3);
  EXPECT_THAT(blocking_reopen(options().source).error().message, HasSubstr("has not moved"));
  ASSERT_TRUE(move(options()));
  ASSERT_TRUE(blocking_reopen(options().source));
  const auto source = open_source();
  EXPECT_TRUE(source->blocking_read(check_in_use));
  source->blocking_write([](Transaction& t) { add_account(t, 99); });
  EXPECT_EQ(count(*source), 4);
}

TEST(MoveToItself, is_refused) {
  const conformance::TemporaryFolder folder;
  const auto options = [&] {
    return MoveOptions{.source = {.path = folder.path() / "keyward.db"},
                       .target = {.path = folder.path() / "keyward.db"},
                       .source_shown = {},
                       .target_shown = {},
                       .sha256 = mix,
                       .settle_time = {},
                       .progress = {}};
  };
  ASSERT_TRUE(blocking_migrate(*Database::open(options().source).value(), now));
  CountingRandom random;
  const auto refused = blocking_move(options(), SystemClock{}, random);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the database itself"));
  EXPECT_TRUE(Database::open(options().source).value()->blocking_read(check_in_use));
}

}  // namespace
}  // namespace keyward::storage
