#include "features/health/readiness.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>
#include <vector>

#include "base/limits.hpp"
#include "runtime/completion.hpp"

namespace keyward::features {
namespace {

/// A database that answers when the test says so.
class ReadinessTest : public ::testing::Test {
 protected:
  std::shared_ptr<Readiness> readiness = std::make_shared<Readiness>(Readiness::Question{[this] {
    ++asked;
    return await_completion<std::size_t>([this](Completion<std::size_t> done) {
      if (answers_at_once) return done(Outcome<std::size_t>{0U});
      hanging.push_back(std::move(done));
    });
  }});

  DatabaseState ask() {
    std::vector<DatabaseState> states;
    spawn(loop.get_executor(), keep(readiness, states), "test");
    while (states.empty()) {
      loop.restart();
      loop.run_one();
    }
    return states.front();
  }
  void answer_oldest(Outcome<std::size_t> outcome) {
    hanging.front()(std::move(outcome));
    hanging.pop_front();
    loop.restart();
    loop.poll();
  }

  asio::io_context loop{1};
  bool answers_at_once = true;
  int asked = 0;
  std::deque<Completion<std::size_t>> hanging;

 private:
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<void> keep(std::shared_ptr<Readiness> readiness, std::vector<DatabaseState>& states) {
    states.push_back(co_await readiness->ask());
  }
};

TEST_F(ReadinessTest, a_question_that_hangs_does_not_speak_for_the_next_one) {
  answers_at_once = false;
  EXPECT_EQ(ask(), DatabaseState::silent);
  answers_at_once = true;  // the first one met a connection that is dead, and waits on
  EXPECT_EQ(ask(), DatabaseState::ready);
  EXPECT_EQ(asked, 2);
  answer_oldest(std::unexpected{std::make_exception_ptr(std::runtime_error{"no answer in time"})});
  EXPECT_EQ(ask(), DatabaseState::ready) << "what the first one found is older";
}

TEST_F(ReadinessTest, two_questions_wait_at_the_most) {
  answers_at_once = false;
  EXPECT_EQ(ask(), DatabaseState::silent);
  EXPECT_EQ(ask(), DatabaseState::silent);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(), DatabaseState::silent);
  EXPECT_EQ(asked, 2);
  answer_oldest(Outcome<std::size_t>{1U});
  EXPECT_EQ(ask(), DatabaseState::lacks_migrations);
  answer_oldest(Outcome<std::size_t>{0U});
  EXPECT_EQ(ask(), DatabaseState::ready);
}

TEST_F(ReadinessTest, an_answer_counts_for_whoever_asks_soon_after) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(), DatabaseState::ready);
  EXPECT_LE(asked, 2);
}

}  // namespace
}  // namespace keyward::features
