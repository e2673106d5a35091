// Dice: all chance of a simulation, from one seed.
#pragma once

#include <cstdint>
#include <span>

#include "base/random.hpp"

namespace keyward::simulation {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  /// SplitMix64 (Steele, Lea and Flood, 2014): the same everywhere, unlike the standard library's
  /// distributions.
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }
  /// From [0, end).
  std::uint64_t below(std::uint64_t end) { return end == 0 ? 0 : next() % end; }
  /// From [first, last].
  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(last - first) + 1));
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  bool chance(unsigned of_10000) { return of_10000 != 0 && below(10'000) < of_10000; }
  template <class List>
  auto& pick(List& list) {
    return list[below(list.size())];
  }
  /// Another stream.
  Dice fork() { return Dice{next()}; }

 private:
  std::uint64_t state_;
};

/// Random bytes for the code under test.
class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(Dice dice) : dice_(dice) {}
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(dice_.next() >> 56U);
  }

 private:
  Dice dice_;
};

}  // namespace keyward::simulation
