// A server that is there and does not answer: the process behind one connection is stopped.
#include "storage/postgres/exchange.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/postgres/driver.hpp"

namespace keyward::storage::postgres {
namespace {

using testing::HasSubstr;

constexpr std::chrono::milliseconds answer_limit{1500};

/// The server's process of the transaction's connection, which stands still until the end of the test.
class StoppedProcess {
 public:
  StoppedProcess() = default;
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;
  ~StoppedProcess() {
    if (process_ != 0) ::kill(process_, SIGCONT);
  }
  void stop_that_of(Transaction& transaction) {
    process_ = static_cast<pid_t>(transaction.get<std::int64_t>("SELECT CAST(pg_backend_pid() AS BIGINT)"));
    EXPECT_EQ(::kill(process_, SIGSTOP), 0);
  }

 private:
  pid_t process_ = 0;
};

class PostgresExchange : public testing::Test {
 protected:
  void SetUp() override {
    database_ = open(answer_limit);
    database_->blocking_write([](Transaction& t) { t.execute("CREATE TABLE items (name TEXT)"); });
    began_ = std::chrono::steady_clock::now();
  }
  std::unique_ptr<Database> open(std::chrono::milliseconds limit) {
    auto driver = open_driver({.url = Secret{conformance::postgres_url_of(folder_.path())},
                               .writer_threads = 1,
                               .reader_threads = 1,
                               .answer_limit = limit});
    auto opened = Database::open(std::move(driver).value(), 100);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  void expect_in_time() const { EXPECT_LT(std::chrono::steady_clock::now() - began_, answer_limit * 10); }
  std::int64_t count_items() {
    return database_->blocking_read(
        [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM items"); });
  }

  conformance::TemporaryFolder folder_;  // first: the database in it ends after its connections
  std::unique_ptr<Database> database_;
  StoppedProcess stopped_;
  std::chrono::steady_clock::time_point began_;
};

TEST_F(PostgresExchange, a_statement_without_an_answer_is_unavailable_and_the_next_is_done) {
  try {
    database_->blocking_write([&](Transaction& t) {
      stopped_.stop_that_of(t);
      t.execute("INSERT INTO items (name) VALUES ('x')");
    });
    ADD_FAILURE();
  } catch (const Unavailable& late) {
    EXPECT_THAT(late.what(), HasSubstr("no answer within 1500 ms"));
  }
  expect_in_time();
  database_->blocking_write([](Transaction& t) { t.execute("INSERT INTO items (name) VALUES ('y')"); });
  EXPECT_EQ(count_items(), 1);
}

TEST_F(PostgresExchange, of_a_commit_without_an_answer_nobody_says_that_nothing_was_changed) {
  try {
    database_->blocking_write([&](Transaction& t) {
      t.execute("INSERT INTO items (name) VALUES ('x')");
      stopped_.stop_that_of(t);
    });
    ADD_FAILURE();
  } catch (const Unavailable& late) {
    ADD_FAILURE() << late.what();
  } catch (const Failure& unknown) {
    EXPECT_THAT(unknown.what(), HasSubstr("COMMIT"));
  }
  expect_in_time();
  database_->blocking_write([](Transaction& t) { t.execute("INSERT INTO items (name) VALUES ('y')"); });
}

TEST_F(PostgresExchange, a_question_that_the_server_does_not_take_is_given_up) {
  const std::string large(std::size_t{64} << 20U, 'x');
  EXPECT_THROW(database_->blocking_write([&](Transaction& t) {
    stopped_.stop_that_of(t);
    t.execute("INSERT INTO items (name) VALUES ($1)", large);
  }),
               Unavailable);
  expect_in_time();
  EXPECT_EQ(count_items(), 0);
}

TEST_F(PostgresExchange, a_large_question_and_its_large_answer_pass) {
  const std::string large(std::size_t{16} << 20U, 'x');
  const auto database = open(std::chrono::seconds{30});
  EXPECT_EQ(database->blocking_write([&](Transaction& t) {
    return t.get<std::string>("INSERT INTO items (name) VALUES ($1) RETURNING name", large);
  }),
            large);
}

TEST_F(PostgresExchange, a_database_whose_server_does_not_answer_can_be_closed) {
  // Nobody waits for these two; what waits for the connection is run or refused.
  database_->write_later(
      [&](Transaction& t) {
        stopped_.stop_that_of(t);
        t.execute("INSERT INTO items (name) VALUES ('x')");
      },
      [](const Outcome<std::monostate>& outcome) { EXPECT_FALSE(outcome); });
  std::atomic<bool> answered = false;
  database_->write_later([](Transaction& t) { t.execute("INSERT INTO items (name) VALUES ('y')"); },
                         [&](const Outcome<std::monostate>&) { answered = true; });
  database_.reset();
  EXPECT_TRUE(answered);
  expect_in_time();
}

}  // namespace
}  // namespace keyward::storage::postgres
