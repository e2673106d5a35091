// The machine's own randomness (getrandom(2) by way of libsodium).
#pragma once

#include "base/random.hpp"

namespace keyward::crypto {

/// Has no state: one object serves every thread.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace keyward::crypto
