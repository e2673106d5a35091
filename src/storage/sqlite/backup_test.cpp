#include "storage/sqlite/backup.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::sqlite {
namespace {

class BackupTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path(std::string_view name) const { return folder_.path() / name; }
  static std::unique_ptr<Database> open(const std::filesystem::path& file) {
    auto opened = Database::open({.path = file});
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  static std::int64_t count(Transaction& t) {
    return t.get<std::int64_t>("SELECT count(*) FROM pairs WHERE one = other");
  }

 private:
  conformance::TemporaryFolder folder_;
};

TEST_F(BackupTest, is_the_state_of_one_moment_while_others_write) {
  const auto database = open(path("keyward.db"));
  database->blocking_write(
      [](Transaction& t) { t.execute("CREATE TABLE pairs (one BIGINT, other BIGINT)"); });
  std::atomic<std::int64_t> written = 0;
  std::atomic<bool> stop = false;
  std::jthread writer{[&] {
    while (!stop) {
      database->blocking_write([&](Transaction& t) {
        t.execute("INSERT INTO pairs (one, other) VALUES ($1, 0)", written + 1);
        t.execute("UPDATE pairs SET other = one WHERE other = 0");
      });
      ++written;
    }
  }};
  while (written < 20) std::this_thread::yield();
  const std::int64_t before = written;
  const auto copied = blocking_backup(path("keyward.db"), path("copy.db"));
  const std::int64_t after = written;
  stop = true;
  writer.join();
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(*copied, std::filesystem::file_size(path("copy.db")));
  struct stat status{};
  ASSERT_EQ(::stat(path("copy.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(path("copy.db.partial")));

  const auto copy = open(path("copy.db"));
  const auto pairs = copy->blocking_read(count);
  EXPECT_GE(pairs, before);
  EXPECT_LE(pairs, after + 1);
  EXPECT_EQ(
      copy->blocking_read([](Transaction& t) { return t.get<std::int64_t>("SELECT count(*) FROM pairs"); }),
      pairs);
}

TEST_F(BackupTest, never_writes_over_a_file_and_leaves_none_behind) {
  std::ofstream{path("kept.db")} << "an older one";
  open(path("keyward.db")).reset();
  const auto refused = blocking_backup(path("keyward.db"), path("kept.db"));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("File exists"));
  EXPECT_EQ(std::filesystem::file_size(path("kept.db")), 12U);

  const auto missing = blocking_backup(path("other.db"), path("copy.db"));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("There is no database"));

  std::ofstream{path("note.txt")} << std::string(10'000, 'n');
  EXPECT_FALSE(blocking_backup(path("note.txt"), path("copy.db")));
  EXPECT_FALSE(std::filesystem::exists(path("copy.db")));
  EXPECT_FALSE(std::filesystem::exists(path("copy.db.partial")));
}

}  // namespace
}  // namespace keyward::storage::sqlite
