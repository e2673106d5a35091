// What a lane does when its engine fails: an engine that is told when to.
#include "storage/lane.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>

#include "storage/database.hpp"

namespace keyward::storage {
namespace {

enum class Fault { none, failure, conflict, unavailable };

void raise(Fault& fault) {
  switch (std::exchange(fault, Fault::none)) {
    case Fault::none:
      return;
    case Fault::failure:
      throw Failure("told to");
    case Fault::conflict:
      throw Conflict("told to");
    case Fault::unavailable:
      throw Unavailable("told to");
  }
}

struct Script {
  Fault at_begin = Fault::none;
  Fault at_commit = Fault::none;
  int connections = 0;
  int commits = 0;
  bool drop_transaction = false;  // in the closure that sets it
  bool dead = false;              // the connection, from its next BEGIN on; a new one is good
  bool away = false;              // no new connections
};

class ScriptedConnection final : public Connection {
 public:
  explicit ScriptedConnection(Script& script) : script_(script) { ++script.connections; }
  void begin() override {
    if (std::exchange(script_.dead, false)) broken_ = true;
    if (broken_) throw Unavailable("dead");
    raise(script_.at_begin);
    open_ = true;
  }
  void commit() override {
    raise(script_.at_commit);
    open_ = false;
    ++script_.commits;
  }
  void rollback() noexcept override { open_ = false; }
  void savepoint() override {}
  void release_savepoint() override {}
  void rollback_to_savepoint() override {}
  [[nodiscard]] bool in_transaction() const override {
    if (std::exchange(script_.drop_transaction, false)) open_ = false;
    return open_;
  }
  [[nodiscard]] bool usable() const override { return !open_ && !broken_; }
  Statement& prepare(Sql) override { throw std::logic_error("no statements here"); }
  void run_script(std::string_view) override {}
  bool has_table(std::string_view) override { return false; }
  bool has_column(std::string_view, std::string_view) override { return false; }
  void lock_schema() override {}
  Time now() override { return {}; }
  std::vector<Table> list_tables() override { return {}; }
  void hold_writers(std::span<const std::string>) override {}
  void refuse_writes(std::span<const std::string>) override {}
  void allow_writes(std::span<const std::string>) override {}
  [[nodiscard]] std::string_view by_bytes() const override { return {}; }

 private:
  Script& script_;
  mutable bool open_ = false;
  bool broken_ = false;
};

class ScriptedDriver final : public Driver {
 public:
  explicit ScriptedDriver(Script& script, bool threads = true) : script_(script), threads_(threads) {}
  [[nodiscard]] LaneShape shape(Access) const override {
    return {.connections = 1, .group_max = 8, .threads = threads_};
  }
  [[nodiscard]] bool writers_take_turns() const override { return true; }
  std::unique_ptr<Connection> connect(Access access) override {
    if (script_.away) throw Unavailable("told to be away");
    return std::make_unique<ScriptedConnection>(access == Access::write ? script_ : unused_);
  }

 private:
  Script& script_;
  bool threads_;
  Script unused_;
};

class LaneTest : public testing::Test {
 protected:
  /// Runs `closures` as one group and says what became of each: its value, or -1 for Failure, -2 for
  /// Unavailable.
  template <class... Closures>
  std::vector<int> run_as_group(Closures... closures) {
    std::vector<int> answers;
    answers.resize(sizeof...(closures));
    std::latch entered{1};
    std::latch go{1};
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      database_->blocking_write([&](Transaction&) {
        entered.count_down();
        go.wait();
      });
    });
    entered.wait();
    std::size_t index = 0;
    (
        [&] {
          threads.emplace_back([this, closures, &answer = answers[index]] { answer = run(closures); });
          ++index;
          while (database_->waiting_writes() < index) std::this_thread::yield();
        }(),
        ...);
    go.count_down();
    threads.clear();
    return answers;
  }
  template <class Closure>
  int run(Closure closure) {
    try {
      return database_->blocking_write(closure);
    } catch (const Unavailable&) {
      return -2;
    } catch (const Failure&) {
      return -1;
    }
  }

  Script script_;
  std::unique_ptr<Database> database_ =
      std::move(*Database::open(std::make_unique<ScriptedDriver>(script_), 100));
};

TEST_F(LaneTest, a_group_shares_one_commit) {
  EXPECT_EQ(run_as_group([](Transaction&) { return 1; }, [](Transaction&) { return 2; },
                         [](Transaction&) { return 3; }),
            (std::vector{1, 2, 3}));
  EXPECT_EQ(script_.commits, 2);  // the one that held the door, and the group
}

TEST_F(LaneTest, a_failing_commit_fails_everybody_and_makes_a_new_connection) {
  int hooks = 0;
  const auto set_fault = [&](Transaction& t) {
    script_.at_commit = Fault::failure;
    t.after_commit([&] { ++hooks; });
    return 1;
  };
  EXPECT_EQ(run_as_group(
                set_fault, [](Transaction&) { return 2; }, [](Transaction&) { return 3; }),
            (std::vector{-1, -1, -1}));
  EXPECT_EQ(hooks, 0);
  EXPECT_EQ(run([](Transaction&) { return 4; }), 4);
  EXPECT_EQ(script_.connections, 2);
}

TEST_F(LaneTest, a_closure_and_its_hooks_know_for_whom_they_run) {
  const LogContext whose{.request_id = "r1", .trace_id = "t1", .parent_id = "p1"};
  std::string seen;
  std::string seen_after;
  const auto look = [&](Transaction& t) {
    seen = copy_log_context().trace_id;
    t.after_commit([&] { seen_after = copy_log_context().request_id; });
    return 1;
  };
  {
    const LogScope scope{&whose};
    EXPECT_EQ(run(look), 1);
  }
  EXPECT_EQ(seen, "t1");
  EXPECT_EQ(seen_after, "r1");
  EXPECT_EQ(run(look), 1);
  EXPECT_EQ(seen + seen_after, "");
}

TEST_F(LaneTest, what_was_done_is_counted) {
  int runs = 0;
  EXPECT_EQ(run([&](Transaction&) {
              if (++runs == 1) script_.at_commit = Fault::conflict;
              return 1;
            }),
            1);
  EXPECT_EQ(run_as_group([](Transaction&) { return 2; }, [](Transaction&) { return 3; }),
            (std::vector{2, 3}));
  // Counted after the answer: one more closure, whose own may be missing, is behind them.
  EXPECT_EQ(run([](Transaction&) { return 4; }), 4);
  const auto counted = database_->write_statistics();
  EXPECT_EQ(counted.conflicts, 1U);
  EXPECT_EQ(counted.connections, 1U);
  EXPECT_GE(counted.durations.count(), 4U);
  EXPECT_GE(counted.groups.count(), 3U);
  EXPECT_EQ(counted.groups.counts.at(1), 1U);  // the two that shared a commit
}

TEST_F(LaneTest, a_look_comes_before_a_read_and_not_at_every_one) {
  int looks = 0;
  int reads = 0;
  bool moved = false;
  const auto look = [&](Transaction&) {
    ++looks;
    if (moved) throw Unavailable("moved");
  };
  const auto read = [&] { database_->blocking_read([&](Transaction&) { ++reads; }); };
  database_->look_with(look, std::chrono::hours{1});
  read();
  read();
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(reads, 2);
  const auto database = std::move(*Database::open(std::make_unique<ScriptedDriver>(script_), 100));
  database->look_with(look, std::chrono::milliseconds{0});
  moved = true;
  EXPECT_THROW(database->blocking_read([&](Transaction&) { ++reads; }), Unavailable);
  EXPECT_THROW(database->blocking_read([&](Transaction&) { ++reads; }), Unavailable);
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(reads, 2);
  moved = false;
  database->blocking_read([&](Transaction&) { ++reads; });
  EXPECT_EQ(reads, 3);
}

TEST_F(LaneTest, a_conflict_runs_the_closures_again) {
  int runs = 0;
  int hooks = 0;
  const auto conflicting = [&](Transaction& t) {
    if (++runs == 1) script_.at_commit = Fault::conflict;
    t.after_commit([&] { ++hooks; });
    return 1;
  };
  EXPECT_EQ(run_as_group(conflicting, [](Transaction&) { return 2; }), (std::vector{1, 2}));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(hooks, 1);
}

TEST_F(LaneTest, a_conflict_that_does_not_end_is_unavailable) {
  int runs = 0;
  EXPECT_EQ(run([&](Transaction&) -> int {
              ++runs;
              throw Conflict("again");
            }),
            -2);
  EXPECT_EQ(runs, 5);
  EXPECT_EQ(run([](Transaction&) { return 4; }), 4);
}

TEST_F(LaneTest, a_transaction_dropped_by_the_engine_hurts_only_its_cause) {
  const auto cause = [&](Transaction&) -> int {
    script_.drop_transaction = true;
    throw Failure("disk full");
  };
  EXPECT_EQ(run_as_group([](Transaction&) { return 1; }, cause, [](Transaction&) { return 3; }),
            (std::vector{1, -1, 3}));
}

TEST_F(LaneTest, a_transaction_dropped_in_silence_is_not_a_success) {
  EXPECT_EQ(run([&](Transaction&) {
              script_.drop_transaction = true;
              return 1;
            }),
            -1);
  EXPECT_EQ(script_.commits, 0);
}

TEST_F(LaneTest, a_connection_that_died_is_replaced_before_anything_is_done) {
  int runs = 0;
  script_.dead = true;
  EXPECT_EQ(run([&](Transaction&) { return ++runs; }), 1);
  EXPECT_EQ(script_.connections, 2);
}

TEST_F(LaneTest, while_the_database_is_away_closures_are_refused_and_it_is_found_again) {
  script_.dead = script_.away = true;
  int runs = 0;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(run([&](Transaction&) { return ++runs; }), -2);
  EXPECT_EQ(runs, 0);
  script_.away = false;
  while (run([&](Transaction&) { return ++runs; }) != 1) std::this_thread::yield();
  EXPECT_EQ(script_.connections, 2);
}

TEST_F(LaneTest, a_begin_that_fails_fails_the_group) {
  script_.at_begin = Fault::unavailable;
  EXPECT_EQ(run([](Transaction&) { return 1; }), -2);
  script_.at_begin = Fault::failure;
  EXPECT_EQ(run([](Transaction&) { return 1; }), -1);
  script_.at_begin = Fault::unavailable;
  const auto result = database_->blocking_write([](Transaction&) -> Result<int> { return 1; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable);
  EXPECT_EQ(run([](Transaction&) { return 1; }), 1);
}

TEST_F(LaneTest, without_threads_closures_wait_until_somebody_runs_them) {
  const auto database = std::move(*Database::open(std::make_unique<ScriptedDriver>(script_, false), 100));
  std::vector<int> done;
  for (int i = 1; i <= 2; ++i) {
    database->write_later([i](Transaction&) { return i; },
                          [&done](const Outcome<int>& outcome) { done.push_back(outcome.value()); });
  }
  EXPECT_TRUE(done.empty());
  EXPECT_EQ(database->waiting_writes(), 2U);
  EXPECT_TRUE(database->run_waiting_writes());
  EXPECT_EQ(done, (std::vector{1, 2}));
  EXPECT_EQ(script_.commits, 1);
  EXPECT_FALSE(database->run_waiting_writes());
  EXPECT_EQ(database->blocking_write([](Transaction&) { return 7; }), 7) << "who waits runs it";
}

}  // namespace
}  // namespace keyward::storage
