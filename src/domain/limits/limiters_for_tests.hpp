// Rate limiters of every kind for tests: nodes that share what nodes of that kind share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/system_random.hpp"
#include "domain/limits/memory_rate_limiter.hpp"
#include "domain/limits/shared_rate_limiter.hpp"
#include "redis/subscriber.hpp"
#include "redis/testing/redis_server.hpp"
#include "storage/conformance/engine.hpp"
#include "storage/conformance/postgres_server.hpp"
#include "storage/migrations.hpp"

namespace keyward::domain::testing {

template <class T>
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller waits
Task<void> keep(Task<T> task, std::optional<T>& result) {
  result = co_await std::move(task);
}
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): the caller waits
inline Task<void> finish(Task<void> task, bool& done) {
  co_await std::move(task);
  done = true;
}

/// A node: its limiter, and a loop to call it on.
class Node {
 public:
  struct Shares {
    std::string redis_url;                  // empty: none
    storage::Database* database = nullptr;  // none: counts in memory without Redis
  };
  Node(const Shares& shares, const Clock& clock)
      : clock_(clock), events_(EventLog::no_output, nullptr, nullptr, clock) {
    if (shares.database != nullptr) database_ = std::make_unique<DatabaseCounts>(*shares.database);
    if (!shares.redis_url.empty()) open_redis(shares.redis_url);
    if (!redis_ && !database_) {
      limiter_ = std::make_unique<MemoryRateLimiter>(clock_);
      return;
    }
    auto shared = std::make_unique<SharedRateLimiter>(SharedRateLimiter::Dependencies{
        redis_.get(), counts_.get(), database_.get(), events_, clock_, random_});
    shared_ = shared.get();
    limiter_ = std::move(shared);
    if (redis_ && !redis_->blocking_start()) throw std::runtime_error("Redis refuses");
    if (subscriber_) subscriber_->start();
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() {
    if (subscriber_) subscriber_->stop();
    if (redis_) redis_->stop();
  }

  /// From any thread.
  Verdict take(LimitRule rule, const LimitKey& key, LimitClass limit = LimitClass::login) {
    asio::io_context loop;
    std::optional<Verdict> verdict;
    spawn(loop.get_executor(), keep(limiter_->take(limit, rule, key, clock_.now()), verdict), "test");
    loop.run();
    return verdict.value();  // throws when the limiter has thrown
  }
  void settle(const LimitKey& key, const Verdict& verdict, Settlement settlement,
              LimitClass limit = LimitClass::login) {
    asio::io_context loop;
    bool done = false;
    const Reservation taken{
        .limit = limit, .key = key, .window = verdict.window, .gate_window = verdict.gate_window};
    spawn(loop.get_executor(), finish(limiter_->settle(taken, settlement), done), "test");
    loop.run();
    if (!done) throw std::runtime_error("settle failed");
  }
  std::vector<Verdict> take_each(const std::vector<Bucket>& buckets) {
    asio::io_context loop;
    std::optional<std::vector<Verdict>> verdicts;
    spawn(loop.get_executor(), keep(limiter_->take_each(buckets, clock_.now()), verdicts), "test");
    loop.run();
    return verdicts.value();
  }
  /// Takes and counts; whether it was allowed.
  bool fail_once(LimitRule rule, const LimitKey& key) {
    const auto verdict = take(rule, key);
    if (verdict.allowed) settle(key, verdict, Settlement::counted);
    return verdict.allowed;
  }

  [[nodiscard]] bool is_redis_up() const { return redis_->is_up(); }
  [[nodiscard]] bool is_listening() const { return subscriber_->is_subscribed(); }
  [[nodiscard]] SharedRateLimiter& shared() { return *shared_; }

 private:
  void open_redis(const std::string& url) {
    redis::ClientOptions options{.address = redis::parse_url(url).value(),
                                 .scripts = {RedisCounts::script()}};
    options.on_connected = [this](redis::Session& session) { shared_->tell(session); };
    options.on_change = [this](bool is_up, const std::string& why) { shared_->note_change(is_up, why); };
    redis_ = std::make_unique<redis::Client>(std::move(options));
    counts_ = std::make_unique<RedisCounts>(*redis_, "keyward:test");
    if (database_) return;
    subscriber_ = std::make_unique<redis::Subscriber>(redis::SubscriberOptions{
        .address = redis::parse_url(url).value(),
        .channels = {counts_->channel()},
        .on_subscribed = [] {},
        .on_message = [this](std::string_view, std::string_view message) { shared_->hear(message); }});
  }

  const Clock& clock_;
  crypto::SystemRandom random_;
  EventLog events_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<redis::Subscriber> subscriber_;
  std::unique_ptr<RedisCounts> counts_;
  std::unique_ptr<DatabaseCounts> database_;
  std::unique_ptr<RateLimiter> limiter_;
  SharedRateLimiter* shared_ = nullptr;
};

/// For what other threads do; twenty seconds at most.
inline void wait_until(const std::function<bool()>& done) {
  for (int i = 0; i < 20'000; ++i) {
    if (done()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  throw std::runtime_error("waited in vain");
}

/// A database with our tables, of either engine.
class TestDatabase {
 public:
  explicit TestDatabase(bool postgres) {
    auto opened = postgres
                      ? storage::Database::open(
                            {.postgres_url = Secret{storage::conformance::postgres_url_of(folder_.path())}})
                      : storage::Database::open({.path = folder_.path() / "keyward.db"});
    database_ = std::move(opened).value();
    if (!storage::blocking_migrate(*database_, Time{})) throw std::runtime_error("migrate");
  }
  [[nodiscard]] storage::Database& get() { return *database_; }

 private:
  storage::conformance::TemporaryFolder folder_;
  std::unique_ptr<storage::Database> database_;
};

}  // namespace keyward::domain::testing
