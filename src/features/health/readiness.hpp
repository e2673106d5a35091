// Readiness: what the database last said, for all who ask /readyz.
//
// One question is under way at a time and its answer counts for limits::readiness_kept, so that whoever asks
// often costs the database two questions a second and can make nobody else's answer a refusal. Threats: a
// flood of probes (as said) · a database that hangs (a question that is older than limits::readiness_timeout
// is an answer: no; and no further one is asked until it ends) · a log that a flood fills (a line tells of a
// change, one an interval).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/task.hpp"
#include "storage/database.hpp"

namespace keyward::features {

enum class DatabaseState : std::uint8_t { ready, silent, lacks_migrations };

class Readiness : public std::enable_shared_from_this<Readiness> {
 public:
  explicit Readiness(storage::Database& database) : database_(database) {}
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  ~Readiness() = default;

  /// From any loop. Takes little longer than limits::readiness_timeout, whatever the database does.
  Task<DatabaseState> ask();

 private:
  using Moment = std::chrono::steady_clock::time_point;

  /// Owns what it uses: it may outlive whoever asked.
  static Task<bool> ask_database(std::shared_ptr<Readiness> self);
  /// What may be said without waiting for the question that is under way.
  std::optional<DatabaseState> find_known(Moment now) const;
  void answered(DatabaseState state, const std::string& reason);
  void tell(DatabaseState state, const std::string& reason, Moment now);

  storage::Database& database_;
  std::mutex mutex_;                // guards all below
  std::optional<Moment> asked_at_;  // a question is under way
  Moment answered_at_;
  std::optional<DatabaseState> state_;
  DatabaseState told_ = DatabaseState::ready;
  std::optional<Moment> told_at_;
};

}  // namespace keyward::features
