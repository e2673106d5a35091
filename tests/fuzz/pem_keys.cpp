// Private keys and certificates in PEM (crypto/signing_key, crypto/certificates), and sealed texts
// (crypto/aead).
//
// Must hold: a key that is read signs what its public part verifies, and is read again from what it is stored
// as; whatever a damaged database holds in the place of a sealed text, it does not open.
#include "crypto/aead.hpp"
#include "crypto/certificates.hpp"
#include "crypto/signing_key.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

using namespace crypto;

void check_key(Result<PrivateKey> key) {
  if (!key) {
    must_hold(!key.error().message.empty(), "a refusal is a sentence");
    return;
  }
  const auto message = as_bytes("a message");
  must_hold(key->public_key().verify(message, key->sign(message)), "a key signs what it verifies");
  const auto again = PrivateKey::from_pkcs8(key->algorithm(), key->to_pkcs8());
  must_hold(again && again->public_key().numbers() == key->public_key().numbers(),
            "a stored key is the same key");
}

}  // namespace

KEYWARD_FUZZ_TARGET(pem_keys) {
  using enum Algorithm;
  const Secret secret{input};
  for (const auto algorithm : {es256, eddsa, rs256}) {
    check_key(PrivateKey::from_pem(algorithm, secret));
    check_key(PrivateKey::from_pkcs8(algorithm, secret));
  }
  if (const auto key = MacKey::from_bytes(secret)) {
    must_hold(secret.size() >= hmac_key_min_bytes && secret.size() <= hmac_key_max_bytes,
              "a MAC key has its size");
  }
  static const Secret sealing_key = Secret::of_size(sealing_key_bytes);
  must_hold(!open(sealing_key, input, {}), "what was not sealed does not open");
  must_hold(count_certificates(as_text(input)) <= input.size(), "certificates are counted");
}

}  // namespace keyward::fuzz
