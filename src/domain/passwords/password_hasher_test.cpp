#include "domain/passwords/password_hasher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "domain/passwords/password_policy.hpp"

namespace keyward::domain {
namespace {

using crypto::PasswordCheck;

template <class T>
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
Task<void> store(Task<T> task, std::optional<T>& result) {
  result = co_await std::move(task);
}

/// Runs one task on a loop of its own.
template <class T>
T run(Task<T> task, asio::io_context& loop) {
  std::optional<T> result;
  spawn(loop.get_executor(), store(std::move(task), result), "test");
  loop.restart();
  loop.run();
  return std::move(result).value();
}

class PasswordHasherTest : public testing::Test {
 protected:
  asio::io_context loop;
};

TEST_F(PasswordHasherTest, hashes_and_verifies_off_the_loop) {
  PasswordHasher hasher;
  const auto stored = run(hasher.hash(Secret{"violet orbit"}), loop);
  ASSERT_TRUE(stored.has_value());
  EXPECT_TRUE(run(hasher.verify(Secret{"violet orbit"}, *stored), loop)->matches);
  EXPECT_FALSE(run(hasher.verify(Secret{"violet orbit"}, *stored), loop)->needs_upgrade);
  EXPECT_FALSE(run(hasher.verify(Secret{"violet orbis"}, *stored), loop)->matches);
  EXPECT_EQ(hasher.statistics().hashes_done, 4U);
  EXPECT_EQ(hasher.statistics().waiting, 0U);
  EXPECT_TRUE(hasher.blocking_verify(Secret{"violet orbit"}, *stored).matches);
  EXPECT_TRUE(hasher.blocking_verify(Secret{"p"}, hasher.blocking_hash(Secret{"p"})).matches);
}

TEST_F(PasswordHasherTest, P8_settings_under_the_floor_do_not_start) {
  EXPECT_THROW(PasswordHasher({.argon2 = {8192, 2, 1}}), std::invalid_argument);
}

TEST_F(PasswordHasherTest, P2_registered_decomposed_and_logged_in_composed) {
  PasswordHasher hasher;
  auto typed_at_registration = prepare_password(Secret{"cafe\xCC\x81-orbit"});
  auto typed_at_login = prepare_password(Secret{"caf\xC3\xA9-orbit"});
  const auto stored = run(hasher.hash(std::move(*typed_at_registration)), loop);
  EXPECT_TRUE(run(hasher.verify(std::move(*typed_at_login), *stored), loop)->matches);
}

TEST_F(PasswordHasherTest, P4_a_long_password_costs_no_hash) {
  PasswordHasher hasher;
  EXPECT_FALSE(prepare_password(Secret{std::string(1 << 20, 'p')}).has_value());
  const auto hashed = run(hasher.hash(Secret{std::string(1 << 20, 'p')}), loop);
  ASSERT_FALSE(hashed.has_value());
  EXPECT_EQ(hashed.error().code, ErrorCode::invalid_input);
  EXPECT_FALSE(
      run(hasher.verify(Secret{std::string(limits::password_max_bytes + 1, 'p')}, ""), loop).has_value());
  const Secret longer{std::string(limits::password_max_bytes + 1, 'p')};
  const NewPassword about{.email = "alice.smith@example.com", .field = "new_password"};
  EXPECT_FALSE(run(hasher.hash_new(longer.copy(), {}, about), loop).has_value());
  EXPECT_FALSE(run(hasher.check_new(longer, {}, about), loop).has_value());
  EXPECT_EQ(hasher.statistics().hashes_done, 0U);
}

TEST_F(PasswordHasherTest, P5_P6_a_new_password_is_checked_first_and_a_refused_one_costs_no_hash) {
  PasswordHasher hasher;
  const NewPassword about{.email = "alice.smith@example.com", .field = "new_password"};
  for (const auto weak : {"iloveyou", "alicesmith-2026!!", "short"}) {
    const auto refused = run(hasher.hash_new(Secret{weak}, {}, about), loop);
    ASSERT_FALSE(refused.has_value()) << weak;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(refused.error().fields.at(0).field, "new_password");
  }
  EXPECT_EQ(hasher.statistics().hashes_done, 0U);
  EXPECT_EQ(hasher.statistics().refused, 0U);
  const auto stored = run(hasher.hash_new(Secret{"violet orbit"}, {}, about), loop);
  ASSERT_TRUE(stored.has_value());
  EXPECT_TRUE(hasher.blocking_verify(Secret{"violet orbit"}, *stored).matches);
}

/// The user time of the whole process: what was burnt, whatever the machine was doing beside.
std::chrono::microseconds burnt() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_nsec / 1000};
}

TEST_F(PasswordHasherTest, A6_no_account_costs_what_an_account_costs) {
  PasswordHasher hasher;
  const auto stored = hasher.blocking_hash(Secret{"violet orbit"});
  constexpr std::string_view bcrypt = "$2a$04$b8puLsrDov8Ctm0A5ZZd1e61B6x6LF5CxQNK.sc543pfJfcqNyTmK";
  const auto cost = [&](const std::string& password, std::string_view against) {
    const auto start = burnt();
    for (int i = 0; i < 5; ++i) {
      const auto check = run(hasher.verify(Secret{password}, std::string{against}), loop);
      EXPECT_TRUE(check.has_value() && !check->matches);
    }
    return burnt() - start;
  };
  (void)cost("warm up", stored);
  const auto known = cost("wrong", stored);
  for (const auto unlike :
       {cost("wrong", ""), cost("wrong", "not a hash"), cost(std::string(73, 'a'), bcrypt)}) {
    EXPECT_GT(unlike, known / 2);
    EXPECT_LT(unlike, known * 2);
  }
}

// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters): both outlive the coroutine
Task<void> verify_and_note(PasswordHasher& hasher, std::string stored,
                           std::vector<Result<PasswordCheck>>& answers) {
  // NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)
  answers.push_back(co_await hasher.verify(Secret{"violet orbit"}, std::move(stored)));
}

void expect_some_refused(PasswordHasher& hasher, asio::io_context& loop) {
  const auto stored = hasher.blocking_hash(Secret{"violet orbit"});
  std::vector<Result<PasswordCheck>> answers;
  constexpr std::size_t calls = 64;
  for (std::size_t i = 0; i < calls; ++i)
    spawn(loop.get_executor(), verify_and_note(hasher, stored, answers), "test");
  loop.run();
  ASSERT_EQ(answers.size(), calls);
  std::size_t refused = 0;
  for (const auto& answer : answers) {
    if (answer) {
      EXPECT_TRUE(answer->matches);
      continue;
    }
    ++refused;
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_EQ(answer.error().retry_after_s, 7);
  }
  EXPECT_GT(refused, 0U);
  EXPECT_LT(refused, calls);
  EXPECT_EQ(hasher.statistics().refused, refused);
  EXPECT_EQ(hasher.statistics().hashes_done, 1 + calls - refused);
  // And it recovers: everything taken from the budget was given back.
  loop.restart();
  EXPECT_TRUE(run(hasher.verify(Secret{"violet orbit"}, stored), loop)->matches);
}

TEST_F(PasswordHasherTest, A8_a_full_queue_refuses_at_once_and_counts) {
  PasswordHasher hasher{{.threads = 1, .queue_max = 2, .retry_after_s = 7}};
  expect_some_refused(hasher, loop);
}

TEST_F(PasswordHasherTest, A8_a_spent_byte_budget_refuses_at_once_and_counts) {
  PasswordHasher hasher{{.threads = 1, .queue_max = 1000, .memory_max_bytes = 400, .retry_after_s = 7}};
  expect_some_refused(hasher, loop);
}

// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters): all outlive the coroutine
Task<void> check_and_hash_new(PasswordHasher& hasher, const Secret& password, std::vector<Error>& refusals) {
  // NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)
  const auto checked = co_await hasher.check_new(password, {}, {});
  if (!checked) refusals.push_back(checked.error());
  const auto hashed = co_await hasher.hash_new(password.copy(), {}, {});
  if (!hashed) refusals.push_back(hashed.error());
}

TEST_F(PasswordHasherTest, A8_a_full_queue_refuses_new_passwords_too) {
  PasswordHasher hasher{{.threads = 1, .queue_max = 1, .retry_after_s = 7}};
  const Secret password{"violet orbit"};
  std::vector<Error> refusals;
  constexpr std::size_t calls = 16;
  for (std::size_t i = 0; i < calls; ++i)
    spawn(loop.get_executor(), check_and_hash_new(hasher, password, refusals), "test");
  loop.run();
  EXPECT_GT(refusals.size(), calls);  // of both kinds: one call in a kind is the least that is let through
  for (const auto& refusal : refusals) {
    EXPECT_EQ(refusal.code, ErrorCode::unavailable);
    EXPECT_EQ(refusal.retry_after_s, 7);
  }
  EXPECT_EQ(hasher.statistics().refused, refusals.size());
}

TEST_F(PasswordHasherTest, closing_with_work_in_the_queue_is_clean) {
  std::vector<Result<PasswordCheck>> answers;
  {
    PasswordHasher hasher{{.threads = 1}};
    for (int i = 0; i < 8; ++i) spawn(loop.get_executor(), verify_and_note(hasher, "", answers), "test");
    loop.poll();
  }
  loop.poll();
  EXPECT_LT(answers.size(), 8U);
}

}  // namespace
}  // namespace keyward::domain
