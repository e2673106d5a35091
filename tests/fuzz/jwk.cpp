// Keys in JSON (protocol/jose/jwk, crypto/signing_key): a provider's, and those that an operator gives us.
//
// Must hold: a public key, written out and read again, has the same numbers and the same thumbprint; what is
// written of a private key verifies what the private key signs, and holds nothing private.
#include "protocol/jose/jwk.hpp"

#include <boost/json/serialize.hpp>

#include "fuzz.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

using namespace protocol::jose;

void check_public(const VerificationKey& key) {
  const auto* numbers = key.public_key();
  if (numbers == nullptr) return;
  const auto written = to_public_jwk(key.kid(), *numbers);
  for (const std::string_view secret : {"d", "p", "q", "dp", "dq", "qi", "k"}) {
    must_hold(!written.contains(secret), "nothing private is written");
  }
  const auto again = parse_verification_key(json::value(written));
  must_hold(again.has_value(), "a key that was written can be read");
  must_hold(again->kid() == key.kid() && again->algorithm() == key.algorithm(), "under the same name");
  must_hold(again->public_key()->numbers() == numbers->numbers(), "with the same numbers");
  must_hold(thumbprint(*again->public_key()) == thumbprint(*numbers), "and the same thumbprint");
}

void check_signs(const SigningKey& key) {
  const auto message = as_bytes("a message");
  const Bytes signature = key.sign(message);
  const auto verifies = key.verification_key();
  must_hold(verifies.verify(message, signature), "a private key signs what its public part verifies");
  must_hold(!verifies.verify(as_bytes("another"), signature), "and nothing else");
  check_public(verifies);
}

}  // namespace

KEYWARD_FUZZ_TARGET(jwk) {
  const std::string_view text = as_text(input);
  if (const auto key = parse_verification_key(text)) {
    must_hold(key->public_key() != nullptr, "a shared secret is no key from the network");
    check_public(*key);
    must_hold(!key->verify(as_bytes("a message"), input), "no key takes any signature");
  } else {
    must_hold(text::is_utf8(key.error().message) && !key.error().message.empty(), "a refusal is a sentence");
  }
  (void)parse_verification_key(text, MacKeys::accept);
  if (const auto key = parse_signing_key(Secret{text})) {
    check_signs(*key);
  } else {
    must_hold(text::is_utf8(key.error().message) && !key.error().message.empty(), "a refusal is a sentence");
  }
}

}  // namespace keyward::fuzz
