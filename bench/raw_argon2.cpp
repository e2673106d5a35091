// How many Argon2id hashes a second this machine gives when nothing stands around them: the ceiling of
// /login. The same library, parameters and number of threads as the server's. usage: raw_argon2 SECONDS
// [MEMORY_KIB ITERATIONS]
#include <sodium.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 2 || sodium_init() < 0) return 2;
  const std::chrono::duration<double> length{std::strtod(argv[1], nullptr)};
  const std::size_t memory_kib = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 19456;
  const unsigned long long iterations = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 2;

  std::atomic<std::size_t> hashes{0};
  const auto start = std::chrono::steady_clock::now();
  const auto burn = [&] {
    constexpr std::string_view password = "violet orbit candle 94";
    const std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES> salt{};
    std::array<unsigned char, 32> hash{};
    while (std::chrono::steady_clock::now() - start < length) {
      if (crypto_pwhash_argon2id(hash.data(), hash.size(), password.data(), password.size(), salt.data(),
                                 iterations, memory_kib * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        std::_Exit(1);
      }
      ++hashes;
    }
  };
  std::vector<std::thread> threads(std::thread::hardware_concurrency());
  for (std::thread& thread : threads) thread = std::thread{burn};
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%.3f\n", static_cast<double>(hashes) / took.count());
}
