#include "domain/revisions/revisions.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "crypto/system_random.hpp"

namespace keyward::domain {
namespace {

class RevisionsTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("revisions_test." + std::to_string(::getpid()));
  crypto::SystemRandom random_;
  Uuid id_ = Uuid::make_v7(Time{}, random_);
};

TEST_F(RevisionsTest, a_bump_changes_the_accounts_counter_and_not_the_keys) {
  const auto revisions = Revisions::open(folder_).value();
  const auto account = revisions->of_account(id_);
  const auto keys = revisions->of_keys();
  revisions->bump_account(id_);
  EXPECT_NE(revisions->of_account(id_), account);
  EXPECT_EQ(revisions->of_keys(), keys);
  revisions->bump_keys();
  EXPECT_NE(revisions->of_keys(), keys);
}

TEST_F(RevisionsTest, roles_have_a_counter_of_their_own) {
  const auto revisions = Revisions::open(folder_).value();
  const auto account = revisions->of_account(id_);
  const auto keys = revisions->of_keys();
  const auto roles = revisions->of_roles();
  revisions->bump_roles();
  EXPECT_NE(revisions->of_roles(), roles);
  EXPECT_EQ(revisions->of_account(id_), account);
  EXPECT_EQ(revisions->of_keys(), keys);
}

TEST_F(RevisionsTest, another_process_is_heard_at_once) {
  const auto revisions = Revisions::open(folder_).value();
  const auto before = revisions->of_account(id_);
  const auto child = ::fork();
  if (child == 0) {
    Revisions::open(folder_).value()->bump_account(id_);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_NE(revisions->of_account(id_), before);
}

TEST_F(RevisionsTest, the_file_is_the_owners_alone_and_survives) {
  std::uint64_t last = 0;
  {
    const auto revisions = Revisions::open(folder_).value();
    revisions->bump_account(id_);
    last = revisions->of_account(id_);
  }
  struct stat status{};
  ASSERT_EQ(::stat((folder_ / "revisions").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(Revisions::open(folder_).value()->of_account(id_), last);
}

TEST_F(RevisionsTest, a_folder_that_is_not_there_is_told_by_name) {
  const auto refused = Revisions::open(folder_ / "nowhere");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace keyward::domain
