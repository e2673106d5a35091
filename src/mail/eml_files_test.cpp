#include "mail/eml_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "crypto/system_random.hpp"

namespace keyward::mail {
namespace {

using enum Delivery::Verdict;

constexpr Time start{seconds{1'800'000'000}};

class EmlFilesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("eml_files_test." + std::to_string(::getpid()));
  crypto::SystemRandom random_;
};

TEST_F(EmlFilesTest, files_are_whole_private_and_the_same_when_written_again) {
  EmlFiles files{folder_ / "outbox"};
  const OutgoingMessage message{
      .id = Uuid::make_v7(start, random_), .kind = "test", .sender = "", .recipient = "", .bytes = "x\r\n"};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(files.blocking_deliver(message, {}).verdict, delivered);
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder_ / "outbox"}) {
    ++count;
    struct stat status{};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(status.st_size, 3);
  }
  EXPECT_EQ(count, 1);
  EmlFiles nowhere{folder_ / "none" / "outbox"};
  EXPECT_EQ(nowhere.blocking_deliver(message, {}).verdict, try_again);
}

TEST_F(EmlFilesTest, files_go_to_a_folder_of_our_own_alone) {
  namespace fs = std::filesystem;
  const OutgoingMessage message{
      .id = Uuid::make_v7(start, random_), .kind = "test", .sender = "", .recipient = "", .bytes = "x\r\n"};
  const auto verdict = [&] { return EmlFiles{folder_ / "outbox"}.blocking_deliver(message, {}).verdict; };
  fs::create_directories(folder_ / "elsewhere");
  fs::permissions(folder_ / "elsewhere", fs::perms::owner_all);
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "outbox");
  EXPECT_EQ(verdict(), try_again);
  fs::remove(folder_ / "outbox");
  fs::create_directories(folder_ / "outbox");
  fs::permissions(folder_ / "outbox", fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec);
  EXPECT_EQ(verdict(), try_again);
  fs::permissions(folder_ / "outbox", fs::perms::owner_all);
  // What stands where the unfinished file goes is not written through.
  std::ofstream{folder_ / "precious"} << "precious";
  const auto unfinished = "." + message.id.to_string() + "-test.eml";
  fs::create_symlink(folder_ / "precious", folder_ / "outbox" / unfinished);
  EXPECT_EQ(verdict(), delivered);
  EXPECT_EQ(fs::file_size(folder_ / "precious"), 8);
  EXPECT_TRUE(
      fs::is_regular_file(fs::symlink_status(folder_ / "outbox" / (message.id.to_string() + "-test.eml"))));
}

TEST_F(EmlFilesTest, files_of_mails_that_are_over_are_deleted_and_no_others) {
  namespace fs = std::filesystem;
  const auto outbox = folder_ / "outbox";
  EXPECT_EQ(blocking_delete_eml_files(outbox, [](const Uuid&) { return true; }), 0);
  std::array<Uuid, 2> ids{Uuid::make_v7(start, random_), Uuid::make_v7(start, random_)};
  for (const auto& id : ids) {
    const OutgoingMessage message{.id = id, .kind = "test", .sender = "", .recipient = "", .bytes = "x\r\n"};
    ASSERT_EQ(EmlFiles{outbox}.blocking_deliver(message, {}).verdict, delivered);
  }
  std::ofstream{outbox / "notes.txt"} << "x";
  std::ofstream{outbox / (ids[0].to_string() + ".txt")} << "x";
  std::ofstream{outbox / ("." + ids[0].to_string() + "-test.eml")} << "x";
  EXPECT_EQ(blocking_delete_eml_files(outbox, [&](const Uuid& id) { return id == ids[0]; }), 2);
  EXPECT_TRUE(fs::exists(outbox / (ids[1].to_string() + "-test.eml")));
  EXPECT_TRUE(fs::exists(outbox / "notes.txt"));
  EXPECT_EQ(std::distance(fs::directory_iterator{outbox}, fs::directory_iterator{}), 3);
}

}  // namespace
}  // namespace keyward::mail
