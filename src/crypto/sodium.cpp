#include "crypto/sodium.hpp"

#include <stdexcept>

namespace keyward::crypto {

void prepare_sodium() {
  // 0: done now, 1: was done before, -1: failed.
  static const bool ready = sodium_init() >= 0;
  if (!ready) throw std::runtime_error("libsodium cannot be set up");
}

}  // namespace keyward::crypto
