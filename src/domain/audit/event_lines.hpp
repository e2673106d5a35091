// EventLines: writes security events to standard output, one a line, from a thread of its own.
//
// Threats: a reader of the log that stalls (lines wait in a bounded queue; what does not fit is counted, and
// told; the end of the process waits for limits::log_stop_grace and no longer).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.hpp"

namespace keyward::domain {

class EventLines {
 public:
  static constexpr int no_output = -1;

  /// Lines go to the file descriptor `output`, which stays the caller's.
  explicit EventLines(int output);
  EventLines(const EventLines&) = delete;
  EventLines& operator=(const EventLines&) = delete;
  /// Writes out the lines that wait, unless nobody reads them.
  ~EventLines();

  /// From any thread; never waits for the output. `line` without its end.
  void print(const std::string& line);

  /// Lines that did not fit into the queue.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_.value(); }

 private:
  struct Queue;
  static void thread_main(const std::shared_ptr<Queue>& queue);

  Counter dropped_;
  std::shared_ptr<Queue>
      queue_;  // shared with the thread, which may be stuck in a write for good; may be null
};

}  // namespace keyward::domain
