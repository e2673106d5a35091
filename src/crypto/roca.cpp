#include "crypto/roca.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace keyward::crypto {

namespace {

// The odd primes up to 167: the mark's own modulus is the product of these.
constexpr std::array<std::uint32_t, 38> primes{
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

std::uint32_t remainder(BytesView number, std::uint32_t prime) {
  std::uint32_t result = 0;
  for (const auto byte : number) result = (result * 256 + byte) % prime;
  return result;
}

bool is_power_of_65537(std::uint32_t value, std::uint32_t prime) {
  std::uint32_t power = 1;
  for (std::uint32_t i = 0; i < prime; ++i) {
    if (power == value) return true;
    power = power * (65537 % prime) % prime;
  }
  return false;
}

}  // namespace

bool has_roca_mark(BytesView modulus) {
  return std::ranges::all_of(
      primes, [&](std::uint32_t prime) { return is_power_of_65537(remainder(modulus, prime), prime); });
}

}  // namespace keyward::crypto
