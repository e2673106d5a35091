// Randomness as a dependency, so that a test can replay it. crypto/system_random.hpp is the real one.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace keyward {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills the whole span; a failing source of randomness ends the process rather than returning.
  virtual void fill(std::span<std::uint8_t> bytes) = 0;

  template <std::size_t Size>
  std::array<std::uint8_t, Size> bytes() {
    std::array<std::uint8_t, Size> result{};
    fill(result);
    return result;
  }
};

}  // namespace keyward
