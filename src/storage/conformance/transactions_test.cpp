// Conformance: what is kept, what is rolled back, and what the caller hears of it.
#include <algorithm>
#include <latch>
#include <thread>

#include "storage/conformance/engine.hpp"

namespace keyward::storage::conformance {
namespace {

using Transactions = Conformance;
KEYWARD_FOR_EVERY_ENGINE(Transactions);

void insert(Transaction& t, std::int64_t id) { t.execute("INSERT INTO items (id) VALUES ($1)", id); }

/// Holds the writer until everybody has queued up, so that the closures share a group where there are groups.
/// For a database of one writer.
class Gate {
 public:
  explicit Gate(Database& database)
      : thread_([this, &database] {
          database.blocking_write([this](Transaction&) {
            entered_.count_down();
            open_.wait();
          });
        }) {
    entered_.wait();
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void open() { open_.count_down(); }
  ~Gate() { thread_.join(); }

 private:
  std::latch entered_{1};
  std::latch open_{1};
  std::thread thread_;
};

void wait_for_writes(const Database& database, std::size_t count) {
  while (database.waiting_writes() < count) std::this_thread::yield();
}

TEST_P(Transactions, an_error_result_rolls_back_and_is_returned) {
  const auto database = open();
  const auto result = database->blocking_write([](Transaction& t) -> Result<int> {
    insert(t, 1);
    return fail(ErrorCode::conflict, "no");
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::conflict);
  EXPECT_EQ(count_items(*database), 0);
}

TEST_P(Transactions, an_exception_rolls_back_and_is_rethrown) {
  const auto database = open();
  EXPECT_THROW(database->blocking_write([](Transaction& t) {
    insert(t, 1);
    throw std::out_of_range("mine");
  }),
               std::out_of_range);
  EXPECT_EQ(count_items(*database), 0);
}

TEST_P(Transactions, one_failing_closure_of_a_group_leaves_the_others) {
  const auto database = open({.writers = 1});
  constexpr int callers = 12;
  std::vector<int> answers(callers, -1);
  {
    Gate gate{*database};
    std::vector<std::jthread> threads;
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] {
        try {
          const auto result = database->blocking_write([i](Transaction& t) -> Result<int> {
            insert(t, i);
            if (i % 4 == 1) return fail(ErrorCode::conflict, "refused");
            if (i % 4 == 2) throw std::out_of_range("thrown");
            if (i % 4 == 3) insert(t, i);  // the same key again
            return i;
          });
          answers[static_cast<std::size_t>(i)] = result ? 0 : 1;
        } catch (const std::out_of_range&) {
          answers[static_cast<std::size_t>(i)] = 2;
        } catch (const ConstraintViolation&) {
          answers[static_cast<std::size_t>(i)] = 3;
        }
      });
    }
    wait_for_writes(*database, callers);
    gate.open();
  }
  for (int i = 0; i < callers; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)], i % 4) << i;
  const auto ids = database->blocking_read(
      [](Transaction& t) { return t.list<std::int64_t>("SELECT id FROM items ORDER BY id"); });
  EXPECT_EQ(ids, (std::vector<std::int64_t>{0, 4, 8}));
}

TEST_P(Transactions, constraints_are_told_apart) {
  const auto database = open();
  database->blocking_write([](Transaction& t) { t.execute("INSERT INTO items (id, name) VALUES (1, 'a')"); });
  const auto broken_by = [&](auto closure) -> std::optional<Constraint> {
    try {
      database->blocking_write(closure);
    } catch (const ConstraintViolation& violation) {
      return violation.constraint;
    }
    return std::nullopt;
  };
  EXPECT_EQ(broken_by([](Transaction& t) { insert(t, 1); }), Constraint::unique);
  EXPECT_EQ(broken_by([](Transaction& t) { t.execute("INSERT INTO items (id, name) VALUES (2, 'a')"); }),
            Constraint::unique);
  EXPECT_EQ(broken_by([](Transaction& t) { t.execute("INSERT INTO parts (item) VALUES (99)"); }),
            Constraint::foreign_key);
  EXPECT_EQ(
      broken_by([](Transaction& t) { t.execute("INSERT INTO parts (item) VALUES ($1)", std::nullopt); }),
      Constraint::not_null);
}

TEST_P(Transactions, a_failed_statement_spoils_the_transaction) {
  const auto database = open();
  const auto refused = database->blocking_write([](Transaction& t) -> Result<int> {
    insert(t, 1);
    try {
      insert(t, 1);
    } catch (const ConstraintViolation&) {
      EXPECT_THROW(insert(t, 2), std::logic_error);
      return fail(ErrorCode::conflict, "there already");
    }
    return 1;
  });
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  bool swallowed = false;
  const auto swallow = [&](Transaction& t) {
    insert(t, 1);
    try {
      insert(t, 1);
    } catch (const ConstraintViolation&) {
      swallowed = true;
    }
  };
  EXPECT_THROW(database->blocking_write(swallow), std::logic_error);
  EXPECT_TRUE(swallowed);
  EXPECT_EQ(count_items(*database), 0);
}

TEST_P(Transactions, after_commit_runs_once_durable_and_before_the_caller) {
  const auto database = open();
  bool ran = false;
  std::int64_t seen = -1;
  database->blocking_write([&](Transaction& t) {
    insert(t, 1);
    t.after_commit([&] {
      ran = true;
      EXPECT_TRUE(Lane::on_database_thread());
    });
    t.after_commit([&] { throw std::runtime_error("logged, and nobody's trouble"); });
  });
  EXPECT_TRUE(ran);
  seen = count_items(*database);
  EXPECT_EQ(seen, 1);
}

TEST_P(Transactions, after_commit_is_dropped_on_roll_back) {
  const auto database = open();
  bool ran = false;
  const auto result = database->blocking_write([&](Transaction& t) -> Result<void> {
    t.after_commit([&] { ran = true; });
    return fail(ErrorCode::conflict, "no");
  });
  EXPECT_FALSE(result);
  EXPECT_THROW(database->blocking_write([&](Transaction& t) {
    t.after_commit([&] { ran = true; });
    throw std::out_of_range("mine");
  }),
               std::out_of_range);
  EXPECT_FALSE(ran);
}

TEST_P(Transactions, a_read_sees_what_is_committed_and_nothing_else) {
  const auto database = open();
  std::latch inserted{1};
  std::latch looked{1};
  std::thread writer{[&] {
    database->blocking_write([&](Transaction& t) {
      insert(t, 1);
      inserted.count_down();
      looked.wait();
    });
  }};
  inserted.wait();
  EXPECT_EQ(count_items(*database), 0);
  looked.count_down();
  writer.join();
  EXPECT_EQ(count_items(*database), 1);
}

TEST_P(Transactions, a_read_sees_one_state_to_its_end) {
  const auto database = open();
  database->blocking_read([&](Transaction& t) {
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM items"), 0);
    std::thread{[&] { database->blocking_write([](Transaction& w) { insert(w, 1); }); }}.join();
    EXPECT_EQ(t.get<std::int64_t>("SELECT count(*) FROM items"), 0);
  });
  EXPECT_EQ(count_items(*database), 1);
}

TEST_P(Transactions, a_read_cannot_write) {
  const auto database = open();
  EXPECT_THROW(database->blocking_read([](Transaction& t) { insert(t, 1); }), Failure);
  EXPECT_EQ(count_items(*database), 0);
}

TEST_P(Transactions, a_full_queue_is_unavailable_at_once) {
  const auto database = open({.queue_max = 2, .writers = 1});
  std::vector<std::jthread> threads;
  {
    Gate gate{*database};
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] { database->blocking_write([i](Transaction& t) { insert(t, i); }); });
    }
    wait_for_writes(*database, 2);
    EXPECT_THROW(database->blocking_write([](Transaction& t) { insert(t, 9); }), Unavailable);
    const auto result = database->blocking_write([](Transaction& t) -> Result<void> {
      insert(t, 9);
      return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable);
    EXPECT_GT(result.error().retry_after_s, 0);
    gate.open();
  }
  threads.clear();
  EXPECT_EQ(count_items(*database), 2);
}

TEST_P(Transactions, a_database_thread_does_not_wait_for_itself) {
  const auto database = open();
  EXPECT_THROW(database->blocking_write([&](Transaction&) { database->blocking_write([](Transaction&) {}); }),
               std::logic_error);
}

TEST_P(Transactions, closing_runs_what_waits) {
  auto database = open({.writers = 1});
  constexpr int callers = 8;
  std::vector<std::jthread> threads;
  {
    Gate gate{*database};
    for (int i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] { database->blocking_write([i](Transaction& t) { insert(t, i); }); });
    }
    wait_for_writes(*database, callers);
    gate.open();
  }
  database.reset();
  threads.clear();
  EXPECT_EQ(count_items(*open()), callers);
}

}  // namespace
}  // namespace keyward::storage::conformance
