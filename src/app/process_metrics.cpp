#include "app/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace keyward::app {

namespace {

std::string read_all(const char* path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::optional<double> to_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

/// The word behind `skipped` others.
std::string_view word_at(std::string_view text, std::size_t skipped) {
  while (skipped-- > 0) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return {};
    text.remove_prefix(space + 1);
  }
  return text.substr(0, text.find_first_of(" \n"));
}

double read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + (static_cast<double>(now.tv_nsec) * 1e-9);
}

/// When the machine was started, Unix time. /proc/stat would say so too, but systemd hides it
/// (ProcSubset=pid).
double read_boot_time() { return read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME); }

void add_from_stat(MetricsText& text) {
  const auto stat = read_all("/proc/self/stat");
  const auto name_end = stat.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return;
  const auto fields = std::string_view{stat}.substr(name_end + 2);  // from the third on: proc(5)
  const auto field = [&](std::size_t number) { return to_number(word_at(fields, number - 3)); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto user = field(14);
  const auto system = field(15);
  const auto threads = field(20);
  const auto started = field(22);
  const auto virtual_bytes = field(23);
  const auto resident_pages = field(24);
  if (!user || !system || !threads || !started || !virtual_bytes || !resident_pages) return;
  text.counter("process_cpu_seconds_total", "Processor time, of the program and for it in the kernel.",
               (*user + *system) / ticks);
  text.gauge("process_threads", "Threads.", *threads);
  text.gauge("process_virtual_memory_bytes", "Virtual memory.", *virtual_bytes);
  text.gauge("process_resident_memory_bytes", "Resident memory.",
             *resident_pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  text.gauge("process_start_time_seconds", "When the process began, Unix time.",
             read_boot_time() + (*started / ticks));
}

std::size_t count_open_files() {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator entry{"/proc/self/fd", error}, end; !error && entry != end;
       entry.increment(error))
    ++count;
  return count == 0 ? 0 : count - 1;  // without the one that looks
}

}  // namespace

void add_process_metrics(MetricsText& text) {
  add_from_stat(text);
  if (const auto files = count_open_files(); files != 0)
    text.gauge("process_open_fds", "Open file descriptors.", files);
  rlimit most{};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0)
    text.gauge("process_max_fds", "File descriptors that may be open.", most.rlim_cur);
}

}  // namespace keyward::app
