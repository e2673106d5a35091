#include "domain/audit/event_lines.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"

namespace keyward::domain {

struct EventLines::Queue {
  explicit Queue(int file) : output(file) {}
  const int output;
  Mutex mutex;
  Condition wake;
  std::string lines KEYWARD_GUARDED_BY(mutex);
  std::size_t line_count KEYWARD_GUARDED_BY(mutex) = 0;
  std::uint64_t dropped KEYWARD_GUARDED_BY(mutex) = 0;
  bool closing KEYWARD_GUARDED_BY(mutex) = false;
  bool finished KEYWARD_GUARDED_BY(mutex) = false;
};

namespace {

/// False: the output takes nothing for now, or never again. `text` is what is left.
bool write_some(int output, std::string_view& text) {
  const auto written = ::write(output, text.data(), text.size());
  if (written >= 0) text.remove_prefix(static_cast<std::size_t>(written));
  if (written >= 0 || errno == EINTR) return true;
  if (errno != EAGAIN) return false;  // nobody reads any more, or the disk is full
  pollfd ready{.fd = output, .events = POLLOUT, .revents = 0};
  return ::poll(&ready, 1, -1) >= 0 || errno == EINTR;
}

/// `line_is_torn`: the output took half a line, before and after.
void write_out(int output, std::string_view lines, bool& line_is_torn) {
  std::string_view end{line_is_torn ? "\n" : ""};
  auto left = lines;
  while (!end.empty() && write_some(output, end)) {
  }
  while (end.empty() && !left.empty() && write_some(output, left)) {
  }
  const auto written = lines.size() - left.size();
  line_is_torn = written == 0 ? !end.empty() : lines[written - 1] != '\n';
  if (left.empty()) return;
  log(LogLevel::error, "security_events_not_written",
      {{"count", std::to_string(std::ranges::count(left, '\n'))}});
}

}  // namespace

EventLines::EventLines(int output) {
  if (output == no_output) return;
  queue_ = std::make_shared<Queue>(output);
  std::thread{[held = queue_] { thread_main(held); }}.detach();
}

EventLines::~EventLines() {
  if (!queue_) return;
  Lock lock{queue_->mutex};
  queue_->closing = true;
  queue_->wake.notify_all();
  queue_->wake.wait_for(queue_->mutex, limits::log_stop_grace,
                        [this]() KEYWARD_REQUIRES(queue_->mutex) { return queue_->finished; });
}

void EventLines::print(const std::string& line) {
  if (!queue_) return;
  bool is_first = false;
  {
    const Lock lock{queue_->mutex};
    if (queue_->line_count >= limits::event_queue_max) {
      ++queue_->dropped;
      dropped_.add();
      return;
    }
    queue_->lines += line;
    queue_->lines += '\n';
    is_first = ++queue_->line_count == 1;
  }
  if (is_first) queue_->wake.notify_all();  // the others find it gathering
}

void EventLines::thread_main(const std::shared_ptr<Queue>& queue) {
  pthread_setname_np(pthread_self(), "kw-events");
  bool line_is_torn = false;
  Lock lock{queue->mutex};
  while (true) {
    queue->wake.wait(queue->mutex, [&]() KEYWARD_REQUIRES(queue->mutex) {
      return queue->closing || !queue->lines.empty();
    });
    // Not while the answer is on its way: what there is to write depends on why a login was refused, and a
    // machine that is busy with that answers later (A6).
    queue->wake.wait_for(queue->mutex, limits::event_gather_time,
                         [&]() KEYWARD_REQUIRES(queue->mutex) { return queue->closing; });
    if (queue->lines.empty()) break;
    const auto lines = std::exchange(queue->lines, {});
    const auto dropped = std::exchange(queue->dropped, 0);
    queue->line_count = 0;
    lock.unlock();
    write_out(queue->output, lines, line_is_torn);
    if (dropped != 0) log(LogLevel::error, "security_events_dropped", {{"count", std::to_string(dropped)}});
    lock.lock();
  }
  queue->finished = true;
  queue->wake.notify_all();
}

}  // namespace keyward::domain
