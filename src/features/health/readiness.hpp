// Readiness: what the database last said, for all who ask /readyz.
//
// One question is asked at a time and its answer counts for limits::readiness_kept, so that whoever asks
// often costs the database two questions a second and can make nobody else's answer a refusal. Threats: a
// flood of probes (as said) · a database that hangs (a question that is older than limits::readiness_timeout
// is an answer: no; then one more is asked beside it, so that the one that met a dead connection does not
// speak for the others, and no third one until one of them ends) · a log that a flood fills (a line tells of
// a change, one an interval).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "runtime/task.hpp"
#include "storage/database.hpp"

namespace keyward::features {

enum class DatabaseState : std::uint8_t { ready, silent, lacks_migrations };

class Readiness : public std::enable_shared_from_this<Readiness> {
 public:
  /// How many migrations the database lacks. May throw.
  using Question = std::function<Task<std::size_t>()>;
  explicit Readiness(storage::Database& database);
  explicit Readiness(Question question) : question_(std::move(question)) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness() = default;

  /// From any loop. Takes little longer than limits::readiness_timeout, whatever the database does.
  Task<DatabaseState> ask();

 private:
  using Moment = std::chrono::steady_clock::time_point;

  /// Owns what it uses: it may outlive whoever asked.
  static Task<bool> ask_database(std::shared_ptr<Readiness> self, std::uint64_t number);
  /// What may be said without waiting.
  std::optional<DatabaseState> find_known(Moment now) const KEYWARD_REQUIRES(mutex_);
  /// The latest question has its answer, or has waited for it long enough.
  [[nodiscard]] bool is_overdue(Moment now) const KEYWARD_REQUIRES(mutex_);
  void answered(std::uint64_t number, DatabaseState state, const std::string& reason);
  void tell(DatabaseState state, const std::string& reason, Moment now) KEYWARD_REQUIRES(mutex_);

  static constexpr unsigned questions_max = 2;
  const Question question_;
  Mutex mutex_;
  unsigned questions_ KEYWARD_GUARDED_BY(mutex_) = 0;   // under way
  std::uint64_t asked_ KEYWARD_GUARDED_BY(mutex_) = 0;  // the number of the latest question
  Moment asked_at_ KEYWARD_GUARDED_BY(mutex_);          // when it was asked
  std::uint64_t answered_ KEYWARD_GUARDED_BY(mutex_) =
      0;  // the number of the latest question that was answered
  Moment answered_at_ KEYWARD_GUARDED_BY(mutex_);
  std::optional<DatabaseState> state_ KEYWARD_GUARDED_BY(mutex_);
  DatabaseState told_ KEYWARD_GUARDED_BY(mutex_) = DatabaseState::ready;
  std::optional<Moment> told_at_ KEYWARD_GUARDED_BY(mutex_);
};

}  // namespace keyward::features
