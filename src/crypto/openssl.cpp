#include "crypto/openssl.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace keyward::crypto {

void throw_openssl_failure(const char* call) {
  std::array<char, 256> words{};
  ERR_error_string_n(ERR_peek_last_error(), words.data(), words.size());
  throw std::runtime_error(std::string{call} + " failed: " + words.data());
}

const EVP_MD* sha256_algorithm() {
  static const EvpDigest algorithm{require_object(EVP_MD_fetch(nullptr, "SHA256", nullptr), "EVP_MD_fetch")};
  return algorithm.get();
}

}  // namespace keyward::crypto
