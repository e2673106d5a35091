// What every .cpp of crypto/ that speaks to OpenSSL shares: owners, and the rule that only 1 is success
// (J16).
#pragma once

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

#include "base/free_with.hpp"

namespace keyward::crypto {

using EvpKey = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;
using EvpKeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<&EVP_PKEY_CTX_free>>;
using EvpDigest = std::unique_ptr<EVP_MD, FreeWith<&EVP_MD_free>>;
using BigNumber = std::unique_ptr<BIGNUM, FreeWith<&BN_clear_free>>;

/// Leaves OpenSSL's error queue of this thread as it was: a refused signature must not show up in somebody's
/// TLS read.
class OpensslErrorMark {
 public:
  OpensslErrorMark() { ERR_set_mark(); }
  OpensslErrorMark(const OpensslErrorMark&) = delete;
  OpensslErrorMark& operator=(const OpensslErrorMark&) = delete;
  ~OpensslErrorMark() { ERR_pop_to_mark(); }
};

/// Throws std::runtime_error, naming `call` and OpenSSL's own words, when a call that cannot fail did.
[[noreturn]] void throw_openssl_failure(const char* call);
inline void require_success(int result, const char* call) {
  if (result != 1) throw_openssl_failure(call);
}
template <class T>
T* require_object(T* object, const char* call) {
  if (object == nullptr) throw_openssl_failure(call);
  return object;
}

/// SHA-256, looked up once: a lookup for each message takes longer than hashing it.
const EVP_MD* sha256_algorithm();

}  // namespace keyward::crypto
