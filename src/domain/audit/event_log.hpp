// Security events: JSON lines on standard output, named with OWASP's Logging Vocabulary (L1).
//
// Threats: a log line forged by what a client sends (every text is escaped: one line out per event, L2); a
// secret in the log (an event has fixed fields: ids and words of ours, never a password, a token or an
// address of mail); a reader of the log that stalls (lines wait in a bounded queue for a thread of their own;
// what does not fit is counted, and told).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/uuid.hpp"

namespace keyward::domain {

struct SecurityEvent {
  std::string_view name;  // `authn_login_success`, …: a constant
  std::optional<Uuid> account_id;
  std::optional<Uuid> session_id;
  std::string address;     // of the client
  std::string user_agent;  // of the client
  std::string request_id;
  std::string reason;  // a short constant of ours: "wrong_password", "unknown_account", …
};

/// One line without its end: `{"time":…,"event":…,…}`. Absent fields are left out.
std::string to_json_line(const SecurityEvent& event, Time now);

class EventLog {
 public:
  /// Lines go to the file descriptor `output`, which stays the caller's.
  EventLog(int output, const Clock& clock);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  /// Writes out what waits.
  ~EventLog();

  /// From any thread; never blocks on the output.
  void emit(const SecurityEvent& event);

 private:
  void thread_main();

  int output_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  std::size_t waiting_lines_ = 0;
  std::uint64_t dropped_lines_ = 0;
  bool closing_ = false;
  std::jthread thread_;
};

}  // namespace keyward::domain
