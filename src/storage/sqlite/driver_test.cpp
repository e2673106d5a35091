// What is SQLite's own: its settings, a full disk, and another process that holds the file.
#include "storage/sqlite/driver.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::sqlite {
namespace {

using conformance::TemporaryFolder;

class SqliteTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "keyward.db"; }
  [[nodiscard]] std::unique_ptr<Database> open(std::chrono::milliseconds busy_timeout = std::chrono::seconds{
                                                   5}) const {
    auto opened = Database::open({.path = path(), .busy_timeout = busy_timeout});
    if (!opened) throw std::runtime_error(opened.error().message);
    (*opened)->blocking_write([](Transaction& t) {
      t.execute("CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, raw BYTEA)");
    });
    return std::move(*opened);
  }

 private:
  TemporaryFolder folder_;
};

/// As the command line of another process would.
class RawConnection {
 public:
  explicit RawConnection(const std::filesystem::path& path) {
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) throw std::runtime_error("sqlite3_open");
  }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;
  ~RawConnection() { sqlite3_close(database_); }
  int run(const char* sql) { return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(SqliteTest, settings_are_as_promised) {
  const auto database = open();
  database->blocking_write([](Transaction& t) {
    EXPECT_EQ(t.get<std::string>("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(t.get<std::int64_t>("PRAGMA synchronous"), 2);
    EXPECT_EQ(t.get<std::int64_t>("PRAGMA foreign_keys"), 1);
    EXPECT_EQ(t.get<std::int64_t>("PRAGMA trusted_schema"), 0);
    EXPECT_EQ(t.get<std::int64_t>("PRAGMA cell_size_check"), 1);
    EXPECT_EQ(t.get<std::int64_t>("PRAGMA secure_delete"), 1);
  });
  database->blocking_read([](Transaction& t) { EXPECT_EQ(t.get<std::int64_t>("PRAGMA query_only"), 1); });
  const auto refused = [&](auto closure) { EXPECT_ANY_THROW(database->blocking_write(closure)); };
  refused([](Transaction& t) { t.list<std::int64_t>("SELECT id FROM items WHERE raw = \"text\""); });
  refused([](Transaction& t) { t.execute("ATTACH DATABASE ':memory:' AS other"); });
  refused([](Transaction& t) { t.execute("DELETE FROM sqlite_master"); });
}

TEST_F(SqliteTest, columns_of_unknown_types_keep_what_they_are_given) {
  const auto database = open();
  database->blocking_write([](Transaction& t) {
    t.execute("INSERT INTO items (id, raw) VALUES (1, $1)", as_bytes("42"));
    EXPECT_EQ(t.get<std::string>("SELECT typeof(raw) FROM items"), "blob");
  });
}

TEST_F(SqliteTest, the_file_of_another_program_is_refused) {
  {
    RawConnection other{path()};
    ASSERT_EQ(other.run("CREATE TABLE bookmarks (url TEXT)"), SQLITE_OK);
  }
  const auto opened = Database::open({.path = path()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, testing::HasSubstr("another program"));
}

TEST_F(SqliteTest, another_process_that_holds_the_file_too_long_is_unavailable) {
  const auto database = open(std::chrono::milliseconds{50});
  RawConnection other{path()};
  ASSERT_EQ(other.run("BEGIN IMMEDIATE"), SQLITE_OK);
  const auto insert = [](Transaction& t) -> Result<std::int64_t> {
    return t.execute("INSERT INTO items (id) VALUES (1)");
  };
  const auto refused = database->blocking_write(insert);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(database->blocking_read(
                [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM items"); }),
            0);
  ASSERT_EQ(other.run("ROLLBACK"), SQLITE_OK);
  EXPECT_EQ(database->blocking_write(insert), 1);
}

TEST_F(SqliteTest, a_full_database_fails_only_those_that_need_room) {
  const auto database = open();
  database->blocking_write([](Transaction& t) {
    t.execute("CREATE TABLE notes (words TEXT)");
    t.execute("INSERT INTO notes (words) VALUES ('short')");
  });
  // The limit holds for the writer's connection as long as it lives.
  database->blocking_write([](Transaction& t) { t.get<std::int64_t>("PRAGMA max_page_count = 20"); });
  const Bytes large(200'000, 7);
  std::atomic<int> failed = 0;
  std::atomic<int> done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 32; ++i) {
    threads.emplace_back([&, i] {
      try {
        database->blocking_write([&](Transaction& t) {
          if (i % 2 == 0) t.execute("INSERT INTO items (id, raw) VALUES ($1, $2)", i, large);
          if (i % 2 == 1) t.execute("UPDATE notes SET words = 'other'");
        });
        ++done;
      } catch (const Failure&) {
        ++failed;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(failed, 16);
  EXPECT_EQ(done, 16);
  database->blocking_write([](Transaction& t) {
    t.get<std::int64_t>("PRAGMA max_page_count = 100000");
    t.execute("INSERT INTO items (id, raw) VALUES (99, $1)", Bytes(200'000, 7));
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM items"), 1);
  });
}

/// In a process of its own, for the limit is the process's. 0: as it should be.
int run_out_of_disk(Database& database) {
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0) return 10;
  const rlim_t before = limit.rlim_cur;
  ::signal(SIGXFSZ, SIG_IGN);  // write(2) returns EFBIG instead
  limit.rlim_cur = 256 * 1024;
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 11;
  std::int64_t reported = 0;
  bool failed = false;
  for (std::int64_t id = 1; id < 1000 && !failed; ++id) {
    try {
      database.blocking_write([&](Transaction& t) {
        t.execute("INSERT INTO items (id, raw) VALUES ($1, $2)", id, Bytes(8000, 7));
      });
      reported = id;
    } catch (const Failure&) {
      failed = true;
    }
  }
  if (!failed) return 12;
  const auto count = [](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM items"); };
  if (database.blocking_read(count) != reported) return 13;
  limit.rlim_cur = before;
  if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 14;
  database.blocking_write([](Transaction& t) { t.execute("INSERT INTO items (id) VALUES (5000)"); });
  return database.blocking_read(count) == reported + 1 ? 0 : 15;
}

TEST_F(SqliteTest, a_full_disk_fails_and_heals) {
  open().reset();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int code = 1;
    {
      const auto database = open();
      code = run_out_of_disk(*database);
    }
    ::_exit(code);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  const auto database = open();
  EXPECT_EQ(
      database->blocking_read([](Transaction& t) { return t.get<std::string>("PRAGMA integrity_check"); }),
      "ok");
}

}  // namespace
}  // namespace keyward::storage::sqlite
