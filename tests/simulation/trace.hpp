// Trace: what a schedule did, step by step, and the first thing in it that must not be.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "simulation/clock.hpp"

namespace keyward::simulation {

class Trace {
 public:
  explicit Trace(const SimulatedClock& clock) : clock_(clock), start_(clock.steady()) {}

  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    const std::chrono::duration<double> at = clock_.steady() - start_;
    lines_.push_back(
        fmt::format("{:9.3f} {}", at.count(), fmt::format(format, std::forward<Values>(values)...)));
    note(lines_.back());
  }
  /// A promise was broken. The first one counts.
  template <class... Values>
  void violate(fmt::format_string<Values...> format, Values&&... values) {
    auto text = fmt::format(format, std::forward<Values>(values)...);
    add("VIOLATED: {}", text);
    if (violation_.empty()) violation_ = std::move(text);
  }
  /// Into the hash alone.
  void note(std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<std::uint8_t>(c)) * 0x100000001B3U;  // FNV-1a
  }

  [[nodiscard]] bool is_violated() const { return !violation_.empty(); }
  [[nodiscard]] const std::string& violation() const { return violation_; }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  const SimulatedClock& clock_;
  Time start_;
  std::vector<std::string> lines_;
  std::string violation_;
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

}  // namespace keyward::simulation
