// The operational log: one JSON object a line on standard error. (Security events are domain/audit's, on
// standard output.)
//
// Threats: a line forged by what a client sends (every text is escaped, L2) · a reader that stops reading
// (while a LogWriter lives, log() leaves its line in a bounded queue and never waits; what does not fit is
// counted, and told).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace keyward {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string_view>;

/// Lines below `level` are dropped from now on. Default: info.
void set_log_level(LogLevel level);

/// `log(LogLevel::warning, "database_busy", {{"file", path}});` writes one line whatever the fields hold:
/// control characters, ANSI escapes and U+2028/2029 are escaped, invalid UTF-8 is replaced (L2). Never pass a
/// secret. What the thread's LogContext says is added.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

/// `text` as a JSON string with its quotes, safe to stand in a line of any log.
std::string to_log_json(std::string_view text);

/// On whose behalf a thread works. What is empty is not said.
struct LogContext {
  std::string request_id;
  std::string trace_id;  // these two as the caller told them (W3C Trace Context)
  std::string parent_id;
};

/// Of this thread; null: on nobody's. It does not follow a coroutine by itself: what suspends one takes it
/// off the thread and puts it back (runtime/completion.hpp, runtime/pause.hpp).
const LogContext* log_context();
/// Returns what was there. `context` lives until it is replaced.
const LogContext* set_log_context(const LogContext* context);
/// For the way to another thread.
LogContext copy_log_context();

/// Sets the context for the time of a block without co_await.
class LogScope {
 public:
  explicit LogScope(const LogContext* context) : before_(set_log_context(context)) {}
  LogScope(const LogScope&) = delete;
  LogScope& operator=(const LogScope&) = delete;
  ~LogScope() { set_log_context(before_); }

 private:
  const LogContext* before_;
};

/// While it lives, a thread writes what log() is given. There is one at a time.
class LogWriter {
 public:
  LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;
  /// Waits for limits::log_stop_grace at most: a reader that stands still does not keep the process alive.
  ~LogWriter();

  /// Lines that did not fit into the queue, since the process began.
  static std::uint64_t dropped_lines();

 private:
  struct Queue;
  static const std::shared_ptr<Queue>& queue();
  static void thread_main(const std::shared_ptr<Queue>& queue);
  static bool take(std::string& line);
  friend void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);
};

}  // namespace keyward
