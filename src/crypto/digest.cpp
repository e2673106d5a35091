#include "crypto/digest.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <string>

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

using EvpMac = std::unique_ptr<EVP_MAC, FreeWith<&EVP_MAC_free>>;
using EvpMacContext = std::unique_ptr<EVP_MAC_CTX, FreeWith<&EVP_MAC_CTX_free>>;

EvpMacContext make_hmac_sha256_context() {
  static const EvpMac hmac{require_object(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "EVP_MAC_fetch")};
  EvpMacContext context{require_object(EVP_MAC_CTX_new(hmac.get()), "EVP_MAC_CTX_new")};
  std::string name = "SHA256";
  const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                              OSSL_PARAM_construct_end()};
  require_success(EVP_MAC_CTX_set_params(context.get(), parameters.data()), "EVP_MAC_CTX_set_params");
  return context;
}

/// A thread keeps its context: making one takes longer than the code does.
EVP_MAC_CTX* hmac_sha256_context() {
  thread_local const EvpMacContext context = make_hmac_sha256_context();
  return context.get();
}

constexpr std::uint8_t no_key = 0;  // EVP_MAC_init takes a null pointer for the key of before

/// The context holds a copy of the last key. For one that nothing else in the process keeps.
void forget_hmac_sha256_key() {
  require_success(EVP_MAC_init(hmac_sha256_context(), &no_key, 0, nullptr), "EVP_MAC_init");
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

// By OpenSSL, which uses the processor's own instructions for it, where libsodium has none. A thread keeps
// its context: making one takes longer than the code.
Sha256 hmac_sha256(BytesView key, BytesView message) {
  EVP_MAC_CTX* const context = hmac_sha256_context();
  Sha256 code{};
  std::size_t size_bytes = 0;
  require_success(EVP_MAC_init(context, key.empty() ? &no_key : key.data(), key.size(), nullptr),
                  "EVP_MAC_init");
  require_success(EVP_MAC_update(context, message.data(), message.size()), "EVP_MAC_update");
  require_success(EVP_MAC_final(context, code.data(), &size_bytes, code.size()), "EVP_MAC_final");
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
  forget_hmac_sha256_key();  // all sub-keys follow from the extracted one
  return result;
}

bool constant_time_equal(BytesView a, BytesView b) {
  if (a.size() != b.size()) return false;
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace keyward::crypto
