#include "storage/sqlite/data_folder.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::sqlite {
namespace {

using conformance::TemporaryFolder;
using testing::HasSubstr;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

std::string refusal(const std::filesystem::path& path) {
  const auto opened = Database::open({.path = path});
  return opened ? "(opened)" : opened.error().message;
}

TEST(DataFolder, network_file_systems_are_known_by_their_numbers) {
  EXPECT_EQ(network_file_system_name(0x6969), "NFS");
  EXPECT_EQ(network_file_system_name(0xFF534D42), "CIFS");
  EXPECT_EQ(network_file_system_name(0xFE534D42), "SMB2");
  EXPECT_EQ(network_file_system_name(0x65735546), "FUSE");
  EXPECT_EQ(network_file_system_name(0x00C36400), "Ceph");
  EXPECT_EQ(network_file_system_name(0x01021997), "9P");
  for (const std::int64_t local :
       {0xEF53LL /*ext4*/, 0x58465342LL /*xfs*/, 0x9123683ELL /*btrfs*/, 0x01021994LL /*tmpfs*/,
        0x794C7630LL /*overlayfs*/, 0x2FC12FC1LL /*zfs*/}) {
    EXPECT_EQ(network_file_system_name(local), std::nullopt) << local;
  }
}

TEST(DataFolder, folder_and_file_are_for_the_owner_only) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "deep" / "er" / "keyward.db";
  const mode_t before = ::umask(0);
  {
    const auto database = Database::open({.path = path});
    ASSERT_TRUE(database) << database.error().message;
    (*database)->blocking_write([](Transaction& t) { t.execute("CREATE TABLE x (id BIGINT)"); });
    EXPECT_EQ(mode_of(path.string() + "-wal"), 0600U);
    EXPECT_EQ(mode_of(path.string() + "-shm"), 0600U);
  }
  ::umask(before);
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(mode_of(path.parent_path()), 0700U);
  EXPECT_EQ(mode_of(path.parent_path().parent_path()), 0700U);
  EXPECT_FALSE(std::filesystem::exists(path.string() + "-wal")) << "a clean close leaves one file";
}

TEST(DataFolder, what_is_not_ours_is_refused_with_a_sentence) {
  const TemporaryFolder folder;
  const auto text = folder.path() / "text.db";
  std::ofstream{text} << "dear diary\n";
  EXPECT_THAT(refusal(text), testing::AllOf(HasSubstr(text.string()), HasSubstr("is not a SQLite database")));
  const auto long_text = folder.path() / "long.db";
  std::ofstream{long_text} << std::string(100'000, 'x');
  EXPECT_THAT(refusal(long_text), HasSubstr("is not a SQLite database"));
  std::filesystem::create_directory(folder.path() / "folder.db");
  EXPECT_THAT(refusal(folder.path() / "folder.db"), HasSubstr("is not a plain file"));
  EXPECT_THAT(refusal(text / "below" / "keyward.db"), HasSubstr("cannot be made"));
  EXPECT_THAT(refusal("/proc/keyward-data/keyward.db"), HasSubstr("cannot be made"));
}

TEST(DataFolder, a_missing_file_is_not_made_unless_asked) {
  const TemporaryFolder folder;
  const auto opened = Database::open({.path = folder.path() / "keyward.db", .create = false});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "keyward.db"));
}

TEST(DataFolder, a_read_only_file_is_refused) {
  constexpr uid_t nobody = 65'534;
  const TemporaryFolder folder;
  const auto path = folder.path() / "keyward.db";
  ASSERT_TRUE(Database::open({.path = path}));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  const bool root = ::geteuid() == 0;  // whom permissions do not stop
  if (root) {
    ASSERT_EQ(::chown(path.c_str(), nobody, static_cast<gid_t>(-1)), 0);
    ASSERT_EQ(::chown(folder.path().c_str(), nobody, static_cast<gid_t>(-1)), 0);
    ASSERT_EQ(::seteuid(nobody), 0);
  }
  const std::string said = refusal(path);
  if (root) ASSERT_EQ(::seteuid(0), 0);
  EXPECT_THAT(said, testing::AllOf(HasSubstr(path.string()), HasSubstr("cannot be written")));
}

}  // namespace
}  // namespace keyward::storage::sqlite
