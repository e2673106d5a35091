#include "app/give_back.hpp"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace keyward::app {

namespace {

constexpr std::chrono::seconds give_back_after_start{1};
constexpr std::chrono::seconds give_back_interval{10};
constexpr std::uint64_t quiet_events_max = 100;  // of an interval

struct Area {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_read_only_file = false;
};

/// Of smaps' lines the one that begins an area: "7f00-7f01 r-xp 00000000 08:01 1234 /usr/lib/libcrypto.so.3".
std::optional<Area> parse_area(std::string_view line) {
  Area area;
  const char* const last = line.data() + line.size();
  const auto begin = std::from_chars(line.data(), last, area.begin, 16);
  if (begin.ec != std::errc{} || begin.ptr == last || *begin.ptr != '-') return std::nullopt;
  const auto end = std::from_chars(begin.ptr + 1, last, area.end, 16);
  if (end.ec != std::errc{}) return std::nullopt;
  const std::string_view rest{end.ptr, last};
  area.is_read_only_file = (rest.starts_with(" r-xp ") || rest.starts_with(" r--p ")) && rest.contains(" /");
  return area;
}

/// Those without a page of our own ("Anonymous: 0 kB") are as the file has them, and come back from there.
void give_back_file_pages() {
  std::ifstream areas{"/proc/self/smaps"};
  Area area;
  for (std::string line; std::getline(areas, line);) {
    if (const auto next = parse_area(line)) {
      area = *next;
    } else if (area.is_read_only_file && line.starts_with("Anonymous:") && line.ends_with(" 0 kB")) {
      ::madvise(reinterpret_cast<void*>(area.begin), area.end - area.begin, MADV_DONTNEED);
    }
  }
}

}  // namespace

void GiveBack::start() {
  thread_ = std::jthread{[this] { thread_main(); }};
}

void GiveBack::stop() {
  stopping_ = true;
  doorbell_.ring();
  if (thread_.joinable()) thread_.join();
}

void GiveBack::thread_main() {
  pthread_setname_np(pthread_self(), "kw-give-back");
  bool is_due = true;
  std::uint64_t seen = 0;
  microseconds rest = give_back_after_start;
  while (true) {
    doorbell_.wait_for(rest, [this] { return stopping_.load(); });
    if (stopping_) return;
    const std::uint64_t events = count_events_();
    const bool is_busy = events - seen > quiet_events_max;
    seen = events;
    if (is_due && !is_busy) {
      ::malloc_trim(0);
      give_back_file_pages();
    }
    is_due = is_busy;
    rest = give_back_interval;
  }
}

}  // namespace keyward::app
