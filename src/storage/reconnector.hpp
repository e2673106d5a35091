// Reconnector: makes new connections for the threads of one lane when theirs have broken.
//
// While the database is away, one thread at a time tries, and after each failure nobody tries for a while:
// from 50 ms, doubled up to 2 s, with a random part so that many servers do not come back in step. Who asks
// meanwhile is refused at once, so that closures do not pile up behind a database that does not answer.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/metrics.hpp"
#include "base/mutex.hpp"
#include "storage/connection.hpp"

namespace keyward::storage {

class Reconnector {
 public:
  Reconnector(Driver& driver, Access access) : driver_(driver), access_(access) {}

  /// What Driver::connect() throws, or Unavailable when it is too early to try again.
  std::unique_ptr<Connection> connect();
  /// How often it did.
  [[nodiscard]] std::uint64_t reconnects() const { return reconnects_.value(); }

 private:
  void note_failure(const std::string& why);

  Driver& driver_;
  const Access access_;
  Mutex mutex_;
  Condition tried_;
  Counter reconnects_;
  bool trying_ KEYWARD_GUARDED_BY(mutex_) = false;
  std::string last_failure_ KEYWARD_GUARDED_BY(mutex_);
  std::chrono::milliseconds delay_ KEYWARD_GUARDED_BY(mutex_){0};
  std::chrono::steady_clock::time_point not_before_ KEYWARD_GUARDED_BY(mutex_);
};

}  // namespace keyward::storage
