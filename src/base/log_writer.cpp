#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward {

struct LogWriter::Queue {
  std::mutex mutex;
  std::condition_variable wake;
  std::string lines;
  bool running = false;
  bool closing = false;
  bool finished = false;
  std::uint64_t dropped = 0;
  std::uint64_t dropped_told = 0;
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
  const std::scoped_lock lock{shared.mutex};
  shared.running = true;
  shared.closing = shared.finished = false;
  std::thread{[held = queue()] { thread_main(held); }}.detach();
}

LogWriter::~LogWriter() {
  auto& shared = *queue();
  std::unique_lock lock{shared.mutex};
  shared.closing = true;
  shared.wake.notify_all();
  shared.wake.wait_for(lock, limits::log_stop_grace, [&] { return shared.finished; });
  shared.running = false;
}

std::uint64_t LogWriter::dropped_lines() {
  const std::scoped_lock lock{queue()->mutex};
  return queue()->dropped;
}

/// False: nobody writes for us. A line that does not fit is taken all the same.
bool LogWriter::take(std::string& line) {
  auto& shared = *queue();
  {
    const std::scoped_lock lock{shared.mutex};
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
  std::unique_lock lock{queue->mutex};
  while (true) {
    queue->wake.wait(lock, [&] { return queue->closing || !queue->lines.empty(); });
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
