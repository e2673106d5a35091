// SharedRateLimiter: the limits of several nodes together, in Redis, in the database, or in both.
//
// Passwords (what is settled): where there is a database to count in, it counts always, and Redis before it.
// So Redis takes the floods, which never reach the database, and the database has the truth, which no loss of
// Redis can take away: without Redis the same rows go on counting, and nobody gets an attempt more.
// Without a database (fallback = memory): Redis counts alone, each change is published, and every node keeps
// what it has heard; on its own it goes on from there.
// What is limited by address alone is counted in Redis, or in this process while Redis is away; a commit for
// each request would be too dear.
//
// Threats: Redis lost, paused, or back and empty, as a fresh quota (the above; before a node uses Redis again
// it tells it what was counted meanwhile, the longest windows first and not without end; what Redis was not
// told the database still refuses, and every call brings what the node knows of its key) · a success
// that is forgotten on the way back (generations: limit_count.hpp) · a success or a reset at a node that is
// cut off from Redis, which so goes on refusing (a refusal of Redis is held against the database once a
// second, and the database is right) · a flood of refusals that this would lead to the database (a key shares
// its turn with the others of its slot, so there are as many reads a second as slots) · a clock that is set
// (Redis's and PostgreSQL's count, and steady clocks).
#pragma once

#include <array>
#include <atomic>

#include "domain/audit/event_log.hpp"
#include "domain/limits/database_counts.hpp"
#include "domain/limits/limit_table.hpp"
#include "domain/limits/redis_counts.hpp"

namespace keyward::domain {

class SharedRateLimiter final : public RateLimiter {
 public:
  struct Dependencies {
    redis::Client* redis;      // null: none
    RedisCounts* counts;       // of it
    DatabaseCounts* database;  // null: passwords are counted in Redis or here
    EventLog& events;
    const Clock& clock;
    Random& random;
  };
  explicit SharedRateLimiter(Dependencies dependencies);

  Task<Verdict> take(LimitClass limit, LimitRule rule, LimitKey key, Time now) override;
  Task<void> settle(Reservation taken, Settlement settlement) override;
  Task<std::vector<Verdict>> take_each(std::vector<Bucket> buckets, Time now) override;
  Task<void> settle_each(std::vector<Settled> all) override;
  [[nodiscard]] std::size_t key_count(LimitClass limit) const override;

  /// For redis::ClientOptions, on the client's thread: tells Redis what was counted without it. Throws
  /// Failure.
  void tell(redis::Session& session);
  /// For redis::ClientOptions: an event and a line of the log when it goes and when it is back.
  void note_change(bool is_up, const std::string& reason);
  /// For redis::SubscriberOptions: a message of RedisCounts::channel().
  void hear(std::string_view message);

  /// Calls that were decided without Redis.
  [[nodiscard]] std::uint64_t fallbacks() const { return fallbacks_; }

 private:
  /// What Redis says of each, and what the database is to be asked then.
  struct Asked {
    std::vector<Verdict> verdicts;  // where it refuses, the last is its first refusal
    std::vector<DatabaseCounts::Wanted> wanted;
    bool is_refused = false;  // without a look at the database
    [[nodiscard]] bool is_doubted() const { return !verdicts.back().allowed && !is_refused; }
  };
  Task<Asked> ask_redis(std::vector<Bucket> buckets, Time now);
  /// Redis refuses, and it is time to hold that against the database.
  bool takes_turn(const Bucket& bucket);
  void leave_gates(const std::vector<DatabaseCounts::Wanted>& passed);
  [[nodiscard]] bool is_redis_up();
  LimitTable& table_of(LimitClass limit) { return *tables_.at(static_cast<std::size_t>(limit)); }
  void learn(LimitClass limit, const LimitKey& key, const KnownCount& known);
  void tell_database(redis::Session& session);

  static constexpr std::size_t slot_count = 256;
  Dependencies use_;
  std::array<std::atomic<std::int64_t>, slot_count> next_turns_{};  // by the steady clock, in microseconds
  // What this node knows of each limit; and the counts themselves, while there is no other place for them.
  std::array<std::unique_ptr<LimitTable>, limit_class_count> tables_;
  std::atomic<std::uint64_t> fallbacks_ = 0;
  bool degraded_ = false;  // of the client's thread
};

}  // namespace keyward::domain
