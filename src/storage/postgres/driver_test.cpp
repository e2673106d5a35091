// What only PostgreSQL does: serialization failures, a server that goes away and comes back, who may not be
// told.
#include "storage/postgres/driver.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"
#include "storage/postgres/error.hpp"

namespace keyward::storage::postgres {
namespace {

using conformance::PostgresServer;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view canary = "c4nary-pa55word";

std::unique_ptr<Database> open(const std::string& url, std::size_t queue_max = limits::database_queue_max) {
  auto opened = Database::open({.postgres_url = Secret{url}, .queue_max = queue_max});
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

class Postgres : public testing::Test {
 protected:
  std::string url() { return conformance::postgres_url_of(folder_.path()); }
  static std::string refusal(const std::string& url) {
    const auto opened = Database::open({.postgres_url = Secret{url}});
    return opened ? "(opened)" : opened.error().message;
  }

 private:
  conformance::TemporaryFolder folder_;
};

TEST(PostgresState, becomes_what_storage_throws) {
  const auto raise = [](std::string_view state) { return [state] { raise_state(state, "x"); }; };
  for (const char* state : {"40001", "40P01"}) EXPECT_THROW(raise(state)(), Conflict) << state;
  for (const char* state : {"", "08006", "08001", "53300", "55P03", "57014", "57P01", "57P02", "57P03"}) {
    try {
      raise(state)();
    } catch (const Conflict&) {
      ADD_FAILURE() << state;
    } catch (const Unavailable&) {
      continue;
    }
    ADD_FAILURE() << state;
  }
  for (const char* state : {"42601", "42P01", "42P18"})
    EXPECT_THROW(raise(state)(), std::logic_error) << state;
  for (const char* state : {"53100", "25006", "42501", "58030", "XX001"}) {
    try {
      raise(state)();
    } catch (const Unavailable&) {
      ADD_FAILURE() << state;
    } catch (const Failure&) {
      continue;
    }
    ADD_FAILURE() << state;
  }
}

TEST_F(Postgres, of_two_closures_that_skew_each_other_one_sees_the_other) {
  const auto database = open(url());
  database->blocking_write([](Transaction& t) {
    t.execute("CREATE TABLE doctors (id BIGINT PRIMARY KEY, on_call BOOLEAN NOT NULL)");
    t.execute("INSERT INTO doctors (id, on_call) VALUES (1, TRUE), (2, TRUE)");
  });
  for (int round = 0; round < 20; ++round) {
    database->blocking_write([](Transaction& t) { t.execute("UPDATE doctors SET on_call = TRUE"); });
    // Each leaves when the other is there. Run at the same time on the state of before, both would leave.
    std::latch both_have_looked{2};
    const auto leave = [&](std::int64_t id) {
      bool first_run = true;
      database->blocking_write([&](Transaction& t) {
        const auto there = t.get<std::int64_t>("SELECT count(*) FROM doctors WHERE on_call");
        if (std::exchange(first_run, false)) both_have_looked.arrive_and_wait();
        if (there > 1) t.execute("UPDATE doctors SET on_call = FALSE WHERE id = $1", id);
      });
    };
    {
      const std::jthread one{[&] { leave(1); }};
      const std::jthread two{[&] { leave(2); }};
    }
    EXPECT_EQ(database->blocking_read([](Transaction& t) {
      return t.get<std::int64_t>("SELECT count(*) FROM doctors WHERE on_call");
    }),
              1);
  }
}

TEST_F(Postgres, a_server_that_crashes_under_load_loses_nothing_and_is_found_again) {
  PostgresServer server;
  const auto database = open(server.url(), 64);
  database->blocking_write([](Transaction& t) { t.execute("CREATE TABLE items (id BIGINT PRIMARY KEY)"); });
  std::atomic<bool> stop = false;
  std::atomic<int> refused = 0;
  std::array<std::atomic<std::int64_t>, 8> done{};  // how many of its own each writer was told are durable
  std::array<std::set<std::int64_t>, 8> unknown;    // failed: there or not
  std::vector<std::jthread> writers;
  for (std::size_t writer = 0; writer < done.size(); ++writer) {
    writers.emplace_back([&, writer] {
      for (std::int64_t number = 0; !stop; ++number) {
        const std::int64_t id = static_cast<std::int64_t>(writer) * 1'000'000'000 + number;
        const auto began = std::chrono::steady_clock::now();
        try {
          database->blocking_write(
              [id](Transaction& t) { t.execute("INSERT INTO items (id) VALUES ($1)", id); });
          ++done.at(writer);
        } catch (const Failure&) {
          ++refused;
          unknown.at(writer).insert(id);
        }
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{10});
      }
    });
  }
  const auto wait_for_progress = [&] {
    std::array<std::int64_t, 8> before{};
    for (std::size_t i = 0; i < done.size(); ++i) before.at(i) = done.at(i);
    for (std::size_t i = 0; i < done.size(); ++i) {
      while (done.at(i) < before.at(i) + 5) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  };
  for (int crash = 0; crash < 3; ++crash) {
    wait_for_progress();
    const int before = refused;
    server.end(SIGQUIT);
    while (refused == before) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    server.start();
  }
  wait_for_progress();
  stop = true;
  writers.clear();
  const auto stored = database->blocking_read(
      [](Transaction& t) { return t.list<std::int64_t>("SELECT id FROM items ORDER BY id"); });
  const std::set<std::int64_t> there{stored.begin(), stored.end()};
  for (std::size_t writer = 0; writer < done.size(); ++writer) {
    std::int64_t kept = 0;
    for (const std::int64_t id : there) {
      if (id / 1'000'000'000 == static_cast<std::int64_t>(writer) && !unknown.at(writer).contains(id)) ++kept;
    }
    EXPECT_EQ(kept, done.at(writer)) << writer;
  }
}

TEST_F(Postgres, while_the_server_is_away_callers_are_refused_soon) {
  PostgresServer server;
  const auto database = open(server.url());
  server.end(SIGQUIT);
  const auto began = std::chrono::steady_clock::now();
  std::atomic<int> unavailable = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 100; ++i) {
    callers.emplace_back([&] {
      const auto result = database->blocking_write([](Transaction&) -> Result<void> { return {}; });
      if (!result && result.error().code == ErrorCode::unavailable) ++unavailable;
    });
  }
  callers.clear();
  EXPECT_EQ(unavailable, 100);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
}

TEST_F(Postgres, a_connection_that_died_while_idle_is_replaced_unseen) {
  const auto database = open(url());
  for (int i = 0; i < 10; ++i) {
    conformance::run_sql(url(),
                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                         "current_database() AND pid <> pg_backend_pid()");
    EXPECT_EQ(database->blocking_read([](Transaction& t) { return t.get<std::int64_t>("SELECT 1"); }), 1);
    EXPECT_EQ(database->blocking_write([](Transaction& t) { return t.get<std::int64_t>("SELECT 1"); }), 1);
  }
}

TEST_F(Postgres, L2_what_is_wrong_is_one_sentence_without_the_password) {
  const std::string secret{canary};
  const auto nowhere = refusal("postgres://ada:" + secret + "@127.0.0.1:1/keyward");
  EXPECT_THAT(nowhere, HasSubstr("127.0.0.1"));
  EXPECT_THAT(nowhere, HasSubstr("refused"));
  EXPECT_THAT(nowhere, Not(HasSubstr(secret)));
  EXPECT_THAT(nowhere, Not(HasSubstr("\n")));

  conformance::run_sql(
      url(), "DROP ROLE IF EXISTS needs_password; CREATE ROLE needs_password LOGIN PASSWORD 'other'");
  auto wrong = url();
  wrong.replace(wrong.find("postgres@"), 9, "needs_password:" + secret + "@");
  EXPECT_THAT(refusal(wrong), HasSubstr("password authentication failed"));
  EXPECT_THAT(refusal(wrong), Not(HasSubstr(secret)));

  EXPECT_THAT(refusal(conformance::with_database(url(), "no_such_database")), HasSubstr("does not exist"));
}

TEST_F(Postgres, too_many_connections_is_told) {
  conformance::run_sql(url(), "DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN CONNECTION LIMIT 3");
  auto few = url();
  few.replace(few.find("postgres@"), 9, "few@");
  EXPECT_THAT(refusal(few), HasSubstr("too many connections"));
}

TEST_F(Postgres, another_encoding_is_refused) {
  conformance::run_sql(url(), "DROP DATABASE IF EXISTS latin");
  conformance::run_sql(
      url(), "CREATE DATABASE latin ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'");
  EXPECT_THAT(refusal(conformance::with_database(url(), "latin")), HasSubstr("UTF8"));
}

TEST_F(Postgres, the_search_path_of_the_url_counts) {
  conformance::run_sql(url(), "CREATE SCHEMA apart");
  open(url() + "&options=-csearch_path%3Dapart")->blocking_write([](Transaction& t) {
    t.execute("CREATE TABLE here (id BIGINT)");
  });
  EXPECT_EQ(open(url())->blocking_read(
                [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM apart.here"); }),
            0);
  EXPECT_THROW(
      open(url())->blocking_read([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM here"); }),
      std::logic_error);
}

TEST_F(Postgres, what_a_parameter_cannot_be_is_a_logic_error) {
  const auto database = open(url());
  const auto refuses = [&](auto closure) {
    EXPECT_THROW(database->blocking_read(closure), std::logic_error);
  };
  refuses([](Transaction& t) { t.get<bool>("SELECT $1 = CAST('x' AS TEXT)", 1); });
  refuses([](Transaction& t) { t.get<bool>("SELECT $1 = CAST(1 AS BIGINT)", "x"); });
  refuses([](Transaction& t) { t.get<bool>("SELECT $1 = CAST(1 AS BIGINT)", true); });
  refuses([](Transaction& t) { t.get<bool>("SELECT $1 = CAST(1 AS SMALLINT)", 70'000); });
  refuses([](Transaction& t) { t.get<std::int64_t>("SELECT sum(CAST(1 AS BIGINT))"); });  // NUMERIC
  database->blocking_read([](Transaction& t) {
    EXPECT_EQ(t.get<std::int64_t>("SELECT CAST($1 AS SMALLINT)", -7), -7);
    EXPECT_EQ(t.get<std::int64_t>("SELECT CAST($1 AS INTEGER)", -70'000), -70'000);
  });
}

}  // namespace
}  // namespace keyward::storage::postgres
