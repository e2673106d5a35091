// Conformance: kill -9 in the middle of writing loses nothing that was reported as done.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::conformance {
namespace {

using Crash = Conformance;
KEYWARD_FOR_EVERY_ENGINE(Crash);

constexpr int rounds = 6;
constexpr int writers = 4;

/// The child's part: four threads write rows of their own numbers and report each once it is durable.
[[noreturn]] void write_until_killed(const Engine& engine, const std::filesystem::path& folder, int report_to,
                                     std::int64_t first_id) {
  auto database = engine.open(folder, {});
  if (!database) ::_exit(1);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (std::int64_t id = first_id + writer;; id += writers) {
        (*database)->blocking_write([id](Transaction& t) {
          t.execute("INSERT INTO items (id, name) VALUES ($1, $2)", id,
                    std::to_string(id) + std::string(300, 'x'));
        });
        if (::write(report_to, &id, sizeof id) != sizeof id) ::_exit(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ::_exit(0);
}

TEST_P(Crash, kill_loses_nothing_that_was_reported) {
  open().reset();  // the tables; no thread may be left over when the process forks
  std::mt19937 random{20'261'123};
  std::vector<std::int64_t> reported;
  for (int round = 0; round < rounds; ++round) {
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    const std::int64_t first_id = (round + 1) * 1'000'000'000LL;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(GetParam(), folder(), ends[1], first_id);
    }
    ::close(ends[1]);
    // It is killed after a random number of reports, while the other writers are at any point of theirs.
    const std::size_t enough = reported.size() + 1 + random() % 400;
    std::int64_t id = 0;
    while (reported.size() < enough && ::read(ends[0], &id, sizeof id) == sizeof id) reported.push_back(id);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(ends[0], &id, sizeof id) == sizeof id) reported.push_back(id);
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";

    EXPECT_EQ(GetParam().check_files(folder()), "ok");
    const auto database = open();
    database->blocking_read([&](Transaction& t) {
      for (const std::int64_t each : reported) {
        EXPECT_TRUE(t.find<std::int64_t>("SELECT id FROM items WHERE id = $1", each)) << "lost " << each;
      }
    });
  }
  EXPECT_GE(reported.size(), static_cast<std::size_t>(rounds));
}

}  // namespace
}  // namespace keyward::storage::conformance
