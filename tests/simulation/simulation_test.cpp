// Schedules that every run of the tests repeats, and that the simulator notices what it is there for.
#include "simulation/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "simulation/disk.hpp"
#include "simulation/ledger.hpp"

namespace keyward::simulation {
namespace {

class Simulation : public testing::Test {
 protected:
  void SetUp() override {
    // Above all levels: what breaks here is meant to.
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::error) + 1));
  }
  void TearDown() override { set_log_level(LogLevel::info); }
};

TEST_F(Simulation, every_promise_is_kept) {
  constexpr std::uint64_t schedules = 150;
  std::map<std::string, std::uint64_t> counts;
  for (std::uint64_t seed = 1; seed <= schedules; ++seed) {
    const auto report = run_schedule(seed);
    EXPECT_EQ(report.violation, "") << "to see it again: ./dev simulate --seed " << seed;
    for (const auto& [name, number] : report.counts) counts[name] += number;
  }
  // They are schedules of something.
  for (const auto* name :
       {"deaths", "power cuts", "deaths within a step", "disk faults", "sessions", "refreshes",
        "wrong passwords", "tokens used", "password changes", "mails delivered"})
    EXPECT_GT(counts[name], 20U) << name;
}

TEST_F(Simulation, a_seed_gives_the_same_trace_each_time) {
  for (const std::uint64_t seed : {5U, 17U, 30U, 44U}) {
    const auto once = run_schedule(seed);
    (void)run_schedule(seed + 1);
    const auto again = run_schedule(seed);
    EXPECT_EQ(once.trace_hash, again.trace_hash);
    EXPECT_EQ(once.trace, again.trace);
    EXPECT_NE(once.trace_hash, run_schedule(seed + 1).trace_hash);
  }
}

TEST_F(Simulation, a_disk_that_keeps_nothing_is_noticed) {
  std::uint64_t seed = 1;
  while (seed < 50 && run_schedule(seed, true).violation.empty()) ++seed;
  EXPECT_LT(seed, 50U);
}

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    const Disk::Running running{disk_, process_};
    EXPECT_EQ(disk_.open("a-wal", true, true, handle_), Outcome::ok);
  }
  ~DiskTest() override { disk_.close(handle_); }
  void write(std::uint64_t offset, std::uint8_t value, std::size_t count = sector_bytes) {
    EXPECT_EQ(disk_.write(handle_, offset, Bytes(count, value)), Outcome::ok);
  }
  void cut_power() {
    disk_.cut_power();
    disk_.restore_power();
  }
  [[nodiscard]] const Bytes& there() const { return handle_.file->written; }

  SimulatedClock clock_;
  Disk disk_{Dice{3}, clock_};
  ProcessId process_ = disk_.start_process();
  Disk::Handle handle_;
};

TEST_F(DiskTest, what_was_synced_survives_a_power_cut) {
  write(0, 7);
  EXPECT_EQ(disk_.sync(handle_), Outcome::ok);
  cut_power();
  EXPECT_EQ(there(), Bytes(sector_bytes, 7));
}

TEST_F(DiskTest, what_was_not_synced_is_kept_or_lost_or_torn) {
  bool kept = false;
  bool lost = false;
  bool torn = false;
  for (int i = 0; i < 300; ++i) {
    process_ = disk_.start_process();
    handle_.owner = process_;
    handle_.file->written = handle_.file->synced = Bytes(4 * sector_bytes, 1);
    write(0, 2, 4 * sector_bytes);
    EXPECT_EQ(there(), Bytes(4 * sector_bytes, 2)) << "a running machine sees it";
    cut_power();
    const auto count = std::ranges::count(there(), 2);
    kept = kept || count == 4 * sector_bytes;
    lost = lost || count == 0;
    torn = torn || count % static_cast<std::ptrdiff_t>(sector_bytes) != 0;
  }
  EXPECT_TRUE(kept);
  EXPECT_TRUE(lost);
  EXPECT_TRUE(torn);
}

TEST_F(DiskTest, a_process_that_dies_leaves_what_it_wrote_and_no_lock) {
  write(0, 5);
  EXPECT_EQ(disk_.lock_memory(handle_, 0, 1, true), Outcome::ok);
  disk_.kill(process_);
  EXPECT_EQ(there(), Bytes(sector_bytes, 5));
  EXPECT_EQ(handle_.exclusive[0], 0);
  EXPECT_EQ(disk_.write(handle_, 0, Bytes(1)), Outcome::io_error) << "the dead write nothing";
}

TEST_F(DiskTest, the_operation_that_it_is_armed_for_is_the_last) {
  const Disk::Running running{disk_, process_};
  disk_.arm(2, Death::process);
  write(0, 1);
  EXPECT_EQ(disk_.write(handle_, 0, Bytes(sector_bytes, 2)), Outcome::io_error);
  EXPECT_FALSE(disk_.is_alive(process_));
}

TEST(Ledger, a_commit_that_was_answered_is_the_only_content_and_one_that_was_not_may_be) {
  const SimulatedClock clock;
  Trace trace{clock};
  Ledger ledger{trace};
  ledger.begin_with(1);
  ledger.committed(2);
  ledger.doubt(3);
  ledger.power_cut();
  ledger.see(3, "a test");
  EXPECT_FALSE(trace.is_violated());
  ledger.committed(4);
  ledger.power_cut();
  ledger.see(3, "a test");
  EXPECT_TRUE(trace.is_violated());
}

}  // namespace
}  // namespace keyward::simulation
