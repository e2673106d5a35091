#include "features/password_attempts.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <optional>
#include <stdexcept>

#include "crypto/system_random.hpp"
#include "domain/limits/memory_rate_limiter.hpp"

namespace keyward::features {
namespace {

using domain::LimitClass;

/// Counts, but for the one limit whose store is away.
class HalfBrokenLimiter final : public domain::RateLimiter {
 public:
  explicit HalfBrokenLimiter(const Clock& clock) : counts_(clock) {}
  std::optional<LimitClass> broken;

  Task<domain::Verdict> take(LimitClass limit, domain::LimitRule rule, domain::LimitKey key,
                             Time now) override {
    if (limit == broken) throw std::runtime_error("away");
    co_return co_await counts_.take(limit, rule, key, now);
  }
  Task<void> settle(domain::Reservation taken, domain::Settlement settlement) override {
    if (taken.limit == broken) throw std::runtime_error("away");
    co_await counts_.settle(taken, settlement);
  }
  [[nodiscard]] std::size_t key_count(LimitClass limit) const override { return counts_.key_count(limit); }

 private:
  domain::MemoryRateLimiter counts_;
};

class PasswordAttemptsTest : public testing::Test {
 protected:
  void wait_for(Task<void> task) {
    asio::io_context loop{1};
    auto done = asio::co_spawn(loop, std::move(task), asio::use_future);
    loop.run();
    done.get();
  }
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller waits
  Task<void> begin_into(std::optional<Result<PasswordAttempt>>& begun) {
    begun = co_await attempts.begin({"ada@example.com", {}, {.address = "192.0.2.1"}, headers});
  }
  Result<PasswordAttempt> begin() {
    std::optional<Result<PasswordAttempt>> begun;
    wait_for(begin_into(begun));
    return std::move(begun).value();
  }

  ManualClock clock{Time{seconds{1'800'000'000}}};
  crypto::SystemRandom random;
  HalfBrokenLimiter engine{clock};
  domain::Limits limits{engine, Secret{std::string_view{"0123456789abcdef0123456789abcdef"}}, {}};
  domain::DeviceTokens devices{Secret{std::string_view{"0123456789abcdef0123456789abcdef"}}};
  domain::EventLog events{domain::EventLog::no_output, nullptr, nullptr, clock};
  web::Request request;
  web::AnswerHeaders headers{request};
  PasswordAttempts attempts{{limits, devices, events, clock, random}};
};

TEST_F(PasswordAttemptsTest, what_was_taken_is_given_back_when_the_rest_cannot_be_taken) {
  engine.broken = LimitClass::login;
  EXPECT_THROW(EXPECT_FALSE(begin()), std::runtime_error);
  EXPECT_EQ(engine.key_count(LimitClass::login_address), 0U);
}

TEST_F(PasswordAttemptsTest, a_settlement_that_fails_keeps_neither_the_other_nor_the_answer) {
  auto right = begin();
  ASSERT_TRUE(right);
  engine.broken = LimitClass::login_address;
  wait_for(attempts.succeeded(std::move(*right)));
  EXPECT_EQ(engine.key_count(LimitClass::login), 0U) << "cleared";
  EXPECT_EQ(engine.key_count(LimitClass::login_address), 1U) << "stays counted";
  engine.broken.reset();
  for (int i = 0; i < 5; ++i) {
    auto wrong = begin();
    ASSERT_TRUE(wrong);
    engine.broken = LimitClass::login_address;
    wait_for(attempts.failed(std::move(*wrong)));
    engine.broken.reset();
  }
  const auto refused = begin();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_requests);
}

}  // namespace
}  // namespace keyward::features
