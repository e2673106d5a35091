#include "crypto/digest.hpp"

#include "crypto/openssl.hpp"
#include "crypto/sodium.hpp"

namespace keyward::crypto {

namespace {

template <class Hash>
Hash digest(BytesView message, const EVP_MD* algorithm) {
  Hash hash{};
  unsigned size_bytes = 0;
  require_success(EVP_Digest(message.data(), message.size(), hash.data(), &size_bytes, algorithm, nullptr),
                  "EVP_Digest");
  return hash;
}

}  // namespace

Sha256 sha256(BytesView message) { return digest<Sha256>(message, sha256_algorithm()); }

Sha384 sha384(BytesView message) {
  static const EvpDigest algorithm{require_object(EVP_MD_fetch(nullptr, "SHA384", nullptr), "EVP_MD_fetch")};
  return digest<Sha384>(message, algorithm.get());
}

Sha512 sha512(BytesView message) {
  static const EvpDigest algorithm{require_object(EVP_MD_fetch(nullptr, "SHA512", nullptr), "EVP_MD_fetch")};
  return digest<Sha512>(message, algorithm.get());
}

Sha256 hmac_sha256(BytesView key, BytesView message) {
  prepare_sodium();
  Sha256 code{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  crypto_auth_hmacsha256_update(&state, message.data(), message.size());
  crypto_auth_hmacsha256_final(&state, code.data());
  sodium_memzero(&state, sizeof state);
  return code;
}

Sha512 hmac_sha512(BytesView key, BytesView message) {
  prepare_sodium();
  Sha512 code{};
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, key.data(), key.size());
  crypto_auth_hmacsha512_update(&state, message.data(), message.size());
  crypto_auth_hmacsha512_final(&state, code.data());
  sodium_memzero(&state, sizeof state);
  return code;
}

Secret hkdf_sha256(BytesView input_key, BytesView salt, BytesView info) {
  auto extracted = hmac_sha256(salt, input_key);
  Bytes block{info.begin(), info.end()};
  block.push_back(1);  // the counter of the first and only block
  auto expanded = hmac_sha256(extracted, block);
  Secret result{BytesView{expanded}};
  wipe(extracted.data(), extracted.size());
  wipe(expanded.data(), expanded.size());
  return result;
}

bool constant_time_equal(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keyward::crypto
