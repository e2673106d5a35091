#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"

namespace keyward {

struct LogWriter::Queue {
  Mutex mutex;
  Condition wake;
  std::string lines KEYWARD_GUARDED_BY(mutex);
  bool running KEYWARD_GUARDED_BY(mutex) = false;
  bool closing KEYWARD_GUARDED_BY(mutex) = false;
  bool finished KEYWARD_GUARDED_BY(mutex) = false;
  std::uint64_t dropped KEYWARD_GUARDED_BY(mutex) = 0;
  std::uint64_t dropped_told KEYWARD_GUARDED_BY(mutex) = 0;
};

namespace {

/// Waits as long as it takes. What cannot be written has nobody to tell.
void blocking_write_out(std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return;
    } else if (errno != EINTR) {
      return;
    }
  }
}

std::string dropped_line(std::uint64_t count) {
  return fmt::format(R"({{"time":"{}","level":"error","event":"log_lines_dropped","count":"{}"}})"
                     "\n",
                     to_rfc3339(SystemClock{}.now()), count);
}

}  // namespace

/// Shared with the thread, which may outlive the process's last words.
const std::shared_ptr<LogWriter::Queue>& LogWriter::queue() {
  static const auto queue = std::make_shared<Queue>();
  return queue;
}

LogWriter::LogWriter() {
  auto& shared = *queue();
  const Lock lock{shared.mutex};
  shared.running = true;
  shared.closing = shared.finished = false;
  std::thread{[held = queue()] { thread_main(held); }}.detach();
}

LogWriter::~LogWriter() {
  auto& shared = *queue();
  Lock lock{shared.mutex};
  shared.closing = true;
  shared.wake.notify_all();
  shared.wake.wait_for(shared.mutex, limits::log_stop_grace,
                       [&]() KEYWARD_REQUIRES(shared.mutex) { return shared.finished; });
  shared.running = false;
}

std::uint64_t LogWriter::dropped_lines() {
  const Lock lock{queue()->mutex};
  return queue()->dropped;
}

/// False: nobody writes for us. A line that does not fit is taken all the same.
bool LogWriter::take(std::string& line) {
  auto& shared = *queue();
  {
    const Lock lock{shared.mutex};
    if (!shared.running) return false;
    if (shared.lines.size() + line.size() > limits::log_queue_max_bytes) {
      ++shared.dropped;
      return true;
    }
    shared.lines += line;
  }
  shared.wake.notify_all();
  return true;
}

void LogWriter::thread_main(const std::shared_ptr<Queue>& queue) {
  pthread_setname_np(pthread_self(), "kw-log");
  Lock lock{queue->mutex};
  while (true) {
    queue->wake.wait(queue->mutex, [&]() KEYWARD_REQUIRES(queue->mutex) {
      return queue->closing || !queue->lines.empty();
    });
    if (queue->lines.empty()) break;
    std::string lines;
    lines.swap(queue->lines);
    const auto dropped = queue->dropped - std::exchange(queue->dropped_told, queue->dropped);
    if (dropped != 0) lines += dropped_line(dropped);
    lock.unlock();
    blocking_write_out(lines);
    lock.lock();
  }
  queue->finished = true;
  queue->wake.notify_all();
}

}  // namespace keyward
