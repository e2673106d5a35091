// Conformance: of N parallel calls exactly one wins; coroutines resume on their own loop.
#include <atomic>
#include <latch>
#include <thread>

#include "runtime/task.hpp"
#include "storage/conformance/engine.hpp"

namespace keyward::storage::conformance {
namespace {

using Concurrency = Conformance;
KEYWARD_FOR_EVERY_ENGINE(Concurrency);

constexpr int contenders = 64;

std::optional<std::int64_t> consume(Transaction& t) {
  return t.find<std::int64_t>("UPDATE items SET state = 1 WHERE id = $1 AND state = 0 RETURNING id", 1);
}

void add_item(Database& database) {
  database.blocking_write([](Transaction& t) { t.execute("INSERT INTO items (id, state) VALUES (1, 0)"); });
}

TEST_P(Concurrency, exactly_one_of_64_threads_wins) {
  const auto database = open();
  add_item(*database);
  std::atomic<int> winners = 0;
  std::latch start{contenders};
  std::vector<std::jthread> threads;
  for (int i = 0; i < contenders; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      if (database->blocking_write(consume)) ++winners;
    });
  }
  threads.clear();
  EXPECT_EQ(winners, 1);
}

Task<void> contend(Database* database, std::atomic<int>* winners, std::atomic<int>* finished) {
  const auto own_thread = std::this_thread::get_id();
  const auto won = co_await database->write(consume);
  EXPECT_EQ(std::this_thread::get_id(), own_thread);
  const auto state = co_await database->read(
      [](Transaction& t) { return t.get<std::int64_t>("SELECT state FROM items WHERE id = 1"); });
  EXPECT_EQ(std::this_thread::get_id(), own_thread);
  EXPECT_EQ(state, 1);
  if (won) ++*winners;
  ++*finished;
}

TEST_P(Concurrency, exactly_one_of_64_coroutines_wins_and_each_resumes_on_its_loop) {
  std::atomic<int> winners = 0;
  std::atomic<int> finished = 0;
  asio::io_context first{1};
  asio::io_context second{1};
  const auto database = open();
  add_item(*database);
  for (int i = 0; i < contenders; ++i) {
    spawn((i % 2 == 0 ? first : second).get_executor(), contend(database.get(), &winners, &finished),
          "contend");
  }
  std::jthread other{[&] { second.run(); }};
  first.run();
  other.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(finished, contenders);
}

Task<void> see_errors(Database* database, int* seen) {
  const auto refused =
      co_await database->write([](Transaction&) -> Result<int> { return fail(ErrorCode::conflict, "no"); });
  EXPECT_FALSE(refused);
  try {
    co_await database->write([](Transaction&) { throw std::out_of_range("mine"); });
  } catch (const std::out_of_range&) {
    ++*seen;
  }
  co_await database->write([](Transaction& t) { t.execute("INSERT INTO items (id) VALUES (5)"); });
  *seen += static_cast<int>(
      co_await database->read([](Transaction& t) { return t.get<std::int64_t>("SELECT id FROM items"); }));
}

TEST_P(Concurrency, a_coroutine_gets_errors_and_exceptions) {
  asio::io_context loop{1};
  const auto database = open();
  int seen = 0;
  spawn(loop.get_executor(), see_errors(database.get(), &seen), "see_errors");
  loop.run();
  EXPECT_EQ(seen, 6);
}

TEST_P(Concurrency, two_databases_on_the_same_data_take_turns) {
  const auto database = open();
  const auto other = open();
  add_item(*database);
  std::atomic<int> winners = 0;
  std::latch start{16};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      auto& mine = i % 2 == 0 ? *database : *other;
      if (mine.blocking_write(consume)) ++winners;
      mine.blocking_write([i](Transaction& t) { t.execute("INSERT INTO items (id) VALUES ($1)", 100 + i); });
    });
  }
  threads.clear();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(count_items(*database), 17);
}

}  // namespace
}  // namespace keyward::storage::conformance
