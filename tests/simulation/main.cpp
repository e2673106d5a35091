// simulation [--seed SEED | --count COUNT] [--from SEED]: runs schedules; `./dev simulate`. Without --from
// they begin at a seed that nobody chose.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "simulation/schedule.hpp"
#include "simulation/trace.hpp"

namespace {

using keyward::simulation::Report;

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void print_trace(const Report& report) {
  for (const auto& line : report.trace) fmt::print("{}\n", line);
  fmt::print("trace {:016x}\n", report.trace_hash);
}

int run_one(std::uint64_t seed) {
  const auto report = keyward::simulation::run_schedule(seed);
  print_trace(report);
  if (!report.violation.empty()) {
    fmt::print("seed {} fails: {}\n", seed, report.violation);
    return 1;
  }
  fmt::print("seed {}: every promise was kept\n", seed);
  return 0;
}

int run_many(std::uint64_t from, std::uint64_t count) {
  const auto start = std::chrono::steady_clock::now();
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t steps = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto seed = from + i;
    const auto report = keyward::simulation::run_schedule(seed);
    steps += report.steps;
    for (const auto& [name, number] : report.counts) counts[name] += number;
    if (report.violation.empty()) continue;
    print_trace(report);
    fmt::print("seed {} fails, the {}th that was tried: {}\nTo see it again: ./dev simulate --seed {}\n",
               seed, i + 1, report.violation, seed);
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{} schedules (seeds {} to {}), {} steps, {:.1f} s: every promise was kept\n", count, from,
             from + count - 1, steps, took.count());
  for (const auto& [name, number] : counts) fmt::print("  {} {}\n", number, name);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Above all levels: what breaks here is meant to.
  keyward::set_log_level(static_cast<keyward::LogLevel>(static_cast<int>(keyward::LogLevel::error) + 1));
  std::uint64_t from = std::random_device{}();
  std::uint64_t count = 300;
  const std::vector<std::string_view> words{argv + 1, argv + argc};
  for (std::size_t i = 0; i < words.size(); i += 2) {
    const auto number = i + 1 < words.size() ? parse_number(words[i + 1]) : std::nullopt;
    if (words[i] == "--seed" && number) return run_one(*number);
    if (words[i] == "--count" && number && *number != 0) {
      count = *number;
    } else if (words[i] == "--from" && number) {
      from = *number;
    } else {
      fmt::print(stderr, "usage: ./dev simulate [COUNT, from 1 on] [--from SEED], or --seed SEED for one\n");
      return 2;
    }
  }
  return run_many(from, count);
}
