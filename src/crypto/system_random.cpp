#include "crypto/system_random.hpp"

#include "crypto/sodium.hpp"

namespace keyward::crypto {

SystemRandom::SystemRandom() { prepare_sodium(); }

void SystemRandom::fill(std::span<std::uint8_t> bytes) { randombytes_buf(bytes.data(), bytes.size()); }

}  // namespace keyward::crypto
