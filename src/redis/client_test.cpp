#include "redis/client.hpp"
#include "base/mutex.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>

#include "redis/subscriber.hpp"
#include "redis/testing/fake_redis.hpp"
#include "redis/testing/redis_server.hpp"

namespace keyward::redis {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::FakeRedis;
using testing::RedisServer;

constexpr std::string_view add_script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller waits
Task<void> store(Task<Result<Reply>> task, std::optional<Result<Reply>>& result) {
  result = co_await std::move(task);
}

Result<Reply> run(Client& client, const std::string& key) {
  asio::io_context loop;
  std::optional<Result<Reply>> result;
  spawn(loop.get_executor(), store(client.run(0, {key, "1"}), result), "test");
  loop.run();
  return std::move(result).value();
}

/// Waits for what another thread does; gives up after a while.
void wait_until(const std::function<bool()>& done) {
  const auto until = steady_clock::now() + std::chrono::seconds{10};
  while (!done() && steady_clock::now() < until) std::this_thread::yield();
  ASSERT_TRUE(done());
}

ClientOptions options_for(const std::string& url) {
  return {.address = parse_url(url).value(), .scripts = {add_script}};
}

TEST(RedisClient, runs_scripts_and_tells_a_server_that_forgot_them_again) {
  const RedisServer server;
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  EXPECT_EQ(run(client, "a").value().number, 1);
  EXPECT_EQ(server.ask({"SCRIPT", "FLUSH"}).text, "OK");
  EXPECT_EQ(run(client, "a").value().number, 2);
  EXPECT_EQ(client.statistics().calls, 2U);
  EXPECT_EQ(client.statistics().failures, 0U);
}

TEST(RedisClient, many_callers_on_many_loops_each_get_their_own_answer) {
  const RedisServer server;
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&client, thread] {
        for (int i = 1; i <= 200; ++i) {
          const auto reply = run(client, "key" + std::to_string(thread));
          ASSERT_TRUE(reply.has_value());
          ASSERT_EQ(reply->number, i);
        }
      });
    }
  }
}

TEST(RedisClient, H4_one_that_is_killed_is_refused_at_once_and_comes_back_by_itself) {
  RedisServer server;
  std::atomic<int> changes = 0;
  auto options = options_for(server.url());
  options.on_change = [&](bool, const std::string&) { ++changes; };
  Client client{std::move(options)};
  ASSERT_TRUE(client.blocking_start());
  server.end();
  wait_until([&] { return !client.is_up(); });
  const auto before = steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(run(client, "a").error().code, ErrorCode::unavailable);
  EXPECT_LT(steady_clock::now() - before, milliseconds{200});
  server.start();
  wait_until([&] { return client.is_up(); });
  EXPECT_EQ(run(client, "a").value().number, 1);
  EXPECT_EQ(changes, 3) << "there, away, there: once each";
}

TEST(RedisClient, H4_one_that_is_stopped_holds_a_caller_for_a_quarter_of_a_second_and_no_other) {
  const RedisServer server;
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  server.pause();
  const auto before = steady_clock::now();
  EXPECT_FALSE(run(client, "a"));
  EXPECT_LT(steady_clock::now() - before, milliseconds{600});
  EXPECT_FALSE(client.is_up());
  const auto again = steady_clock::now();
  EXPECT_FALSE(run(client, "a"));
  EXPECT_LT(steady_clock::now() - again, milliseconds{50});
  server.go_on();
  wait_until([&] { return client.is_up(); });
  EXPECT_TRUE(run(client, "a"));
}

TEST(RedisClient, an_unreachable_one_is_no_error_and_is_found_later) {
  RedisServer server;
  server.end();
  std::string reason;
  auto options = options_for(server.url());
  options.on_change = [&](bool is_up, const std::string& why) {
    if (!is_up) reason = why;
  };
  Client client{std::move(options)};
  ASSERT_TRUE(client.blocking_start());
  EXPECT_FALSE(client.is_up());
  EXPECT_NE(reason.find("cannot connect"), std::string::npos);
  server.start();
  wait_until([&] { return client.is_up(); });
}

TEST(RedisClient, a_user_and_a_password_are_asked_for_and_a_wrong_one_is_an_error) {
  const RedisServer server{
      {"--requirepass", "open sesame", "--user", "ada", "on", ">lovelace", "~*", "&*", "+@all"}};
  const auto with = [&](const std::string& who) {
    auto url = server.url();
    return options_for(url.insert(std::string_view{"unix://"}.size(), who));
  };
  Client plain{with(":open%20sesame@")};
  EXPECT_TRUE(plain.blocking_start());
  Client named{with("ada:lovelace@")};
  EXPECT_TRUE(named.blocking_start());
  EXPECT_TRUE(named.is_up());
  for (const auto* who : {"ada:c4nary@", ":c4nary@", ""}) {
    Client wrong{with(who)};
    const auto started = wrong.blocking_start();
    ASSERT_FALSE(started) << who;
    EXPECT_EQ(started.error().message.find("c4nary"), std::string::npos);
    EXPECT_NE(started.error().message.find("redis.sock refuses"), std::string::npos)
        << started.error().message;
  }
}

TEST(RedisClient, a_database_that_does_not_exist_is_an_error) {
  const RedisServer server;
  Client client{options_for(server.url() + "?db=999")};
  ASSERT_FALSE(client.blocking_start());
}

TEST(RedisClient, one_that_may_not_write_counts_as_away) {
  const RedisServer server;
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  EXPECT_EQ(server.ask({"REPLICAOF", "127.0.0.1", "1"}).text, "OK");
  EXPECT_FALSE(run(client, "a"));
  EXPECT_EQ(client.statistics().failures, 1U);
}

TEST(RedisClient, H4_no_caller_waits_for_longer_because_others_wait) {
  const FakeRedis server{[](std::string_view read) {
    if (!read.contains("EVALSHA")) return FakeRedis::greet(read);
    std::this_thread::sleep_for(milliseconds{200});  // a slow one, and in time for one batch
    std::string answer;
    for (auto at = read.find("EVALSHA"); at != std::string_view::npos; at = read.find("EVALSHA", at + 1))
      answer += ":1\r\n";
    return answer;
  }};
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  const auto before = steady_clock::now();
  asio::io_context loop;
  std::vector<std::optional<Result<Reply>>> results(1000);
  for (auto& result : results) spawn(loop.get_executor(), store(client.run(0, {"a", "1"}), result), "test");
  loop.run();
  EXPECT_LT(steady_clock::now() - before, milliseconds{600});
  EXPECT_TRUE(std::ranges::all_of(results, [](const auto& result) { return result.has_value(); }));
  EXPECT_TRUE(std::ranges::any_of(results, [](const auto& result) { return !result->has_value(); }));
}

TEST(RedisClient, H4_one_that_still_loads_its_data_is_away_and_no_error) {
  std::atomic<bool> loading = true;
  const FakeRedis server{[&](std::string_view read) {
    if (loading && read.contains("LOAD")) return std::string{"-LOADING Redis is loading the dataset\r\n"};
    return FakeRedis::greet(read);
  }};
  Client client{options_for(server.url())};
  ASSERT_TRUE(client.blocking_start());
  EXPECT_FALSE(client.is_up());
  loading = false;
  wait_until([&] { return client.is_up(); });
}

TEST(RedisClient, a_script_that_may_not_be_or_is_none_is_an_error) {
  const RedisServer server{{"--user", "ada", "on", ">lovelace", "~*", "&*", "+@all", "-script"}};
  auto url = server.url();
  Client forbidden{options_for(url.insert(std::string_view{"unix://"}.size(), "ada:lovelace@"))};
  EXPECT_FALSE(forbidden.blocking_start());
  auto options = options_for(server.url());
  options.scripts = {"return ("};
  Client none{std::move(options)};
  EXPECT_FALSE(none.blocking_start());
}

TEST(RedisClient, L2_a_server_that_repeats_the_password_is_not_repeated) {
  const FakeRedis server{[](std::string_view) {
    return std::string{"-ERR unknown command 'AUTH', with args beginning with: 'c4nary'\r\n"};
  }};
  std::string reason;
  auto options = options_for(server.url(":c4nary@"));
  options.on_change = [&](bool, const std::string& why) { reason = why; };
  Client client{std::move(options)};
  EXPECT_TRUE(client.blocking_start());
  client.stop();
  EXPECT_EQ(reason, "refuses the user and the password: ERR");
}

TEST(RedisSubscriber, hears_what_is_published_and_says_when_it_may_have_missed_something) {
  RedisServer server;
  Mutex mutex;
  std::vector<std::string> heard;
  std::atomic<int> subscribed = 0;
  Subscriber subscriber{{.address = parse_url(server.url()).value(),
                         .channels = {"news", "weather"},
                         .on_subscribed = [&] { ++subscribed; },
                         .on_message =
                             [&](std::string_view channel, std::string_view message) {
                               const Lock lock{mutex};
                               heard.push_back(std::string{channel} + '=' + std::string{message});
                             }}};
  subscriber.start();
  wait_until([&] { return subscribed == 1; });
  EXPECT_EQ(server.ask({"PUBLISH", "weather", "rain"}).number, 1);
  wait_until([&] {
    const Lock lock{mutex};
    return heard == std::vector<std::string>{"weather=rain"};
  });
  server.end();
  wait_until([&] { return !subscriber.is_subscribed(); });
  server.start();
  wait_until([&] { return subscribed == 2; });
  server.pause();
  wait_until([&] { return !subscriber.is_subscribed(); });
  server.go_on();
  wait_until([&] { return subscribed == 3; });
}

}  // namespace
}  // namespace keyward::redis
