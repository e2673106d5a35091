#include "domain/audit/event_log.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward::domain {

namespace {

void write_all(int output, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(output, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void append(std::string& line, std::string_view name, std::string_view value) {
  if (!value.empty()) line += fmt::format(R"(,"{}":{})", name, to_log_json(value));
}

}  // namespace

std::string to_json_line(const SecurityEvent& event, Time now) {
  auto line = fmt::format(R"({{"time":"{}","event":"{}")", to_rfc3339(now), event.name);
  append(line, "user_id", event.account_id ? event.account_id->to_string() : "");
  append(line, "session_id", event.session_id ? event.session_id->to_string() : "");
  append(line, "reason", event.reason);
  append(line, "address", event.address);
  append(line, "user_agent", event.user_agent);
  append(line, "request_id", event.request_id);
  return line + '}';
}

EventLog::EventLog(int output, const Clock& clock)
    : output_(output), clock_(clock), thread_([this] { thread_main(); }) {}

EventLog::~EventLog() {
  {
    const std::scoped_lock lock{mutex_};
    closing_ = true;
  }
  wake_.notify_one();
}

void EventLog::emit(const SecurityEvent& event) {
  const auto line = to_json_line(event, clock_.now());
  {
    const std::scoped_lock lock{mutex_};
    if (waiting_lines_ >= limits::event_queue_max) {
      ++dropped_lines_;
      return;
    }
    waiting_ += line;
    waiting_ += '\n';
    ++waiting_lines_;
  }
  wake_.notify_one();
}

void EventLog::thread_main() {
  pthread_setname_np(pthread_self(), "kw-events");
  while (true) {
    std::string batch;
    std::uint64_t dropped = 0;
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
      if (waiting_.empty()) return;  // closing, and all is written
      batch.swap(waiting_);
      waiting_lines_ = 0;
      dropped = std::exchange(dropped_lines_, 0);
    }
    write_all(output_, batch);
    if (dropped != 0) log(LogLevel::error, "security_events_dropped", {{"count", std::to_string(dropped)}});
  }
}

}  // namespace keyward::domain
