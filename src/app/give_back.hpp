// GiveBack: what the server no longer uses goes back to the system: after the start, and when a busy time is
// over.
//
// Starting reads settings, templates and schemas, runs code that nothing runs again, and leaves holes in the
// heap; so does a flood of connections. The heap's free pages are given back (malloc_trim), and so are the
// pages of program text and constants that are mapped: they stay in the system's cache, from where a page
// that is used again comes in a microsecond.
//
// Threat: a page that is not as its file has it. Answer: only loaded segments that are never written, and
// never were: not the relocated ones (PT_GNU_RELRO), and under the loader's lock. A debugger's breakpoint is
// lost.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "runtime/doorbell.hpp"

namespace keyward::app {

/// Once, now.
void give_back_memory();

class GiveBack {
 public:
  /// `count_events` counts requests, and connections that came and went, since the start.
  explicit GiveBack(std::function<std::uint64_t()> count_events) : count_events_(std::move(count_events)) {}
  GiveBack(const GiveBack&) = delete;
  GiveBack& operator=(const GiveBack&) = delete;
  ~GiveBack() { stop(); }

  void start();
  void stop();

 private:
  void thread_main();

  std::function<std::uint64_t()> count_events_;
  std::atomic<bool> stopping_ = false;
  Doorbell doorbell_;
  std::jthread thread_;
};

}  // namespace keyward::app
