// Keys written in JSON: RFC 7517 (JWK, JWK Set), RFC 7518 §6, RFC 8037 §2, RFC 7638 (thumbprint).
//
// Threats: a weak or malformed key (answer: crypto/signing_key.hpp refuses it); one key for two algorithms
// (answer: a key has one, from `alg` or its type's default, J8); a secret in a published set (answer: what is
// written is made from a PublicKey, which has no private number, J4); a shared secret in a set that everybody
// may read (answer: MacKeys).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "protocol/jose/key_set.hpp"
#include "text/json.hpp"

namespace keyward::protocol::jose {

namespace json = text::json;

/// Whether `kty: "oct"` is taken: never from a set that came over the network.
enum class MacKeys : std::uint8_t { refuse, accept };

/// One key to verify with; of a private JWK, its public part. `use` must be `sig`, `key_ops` must allow it,
/// `alg` (default: ES256, EdDSA, RS256, HS256 by type) must fit the type. Without `kid` it is named by its
/// thumbprint, a MAC key not at all. Error `invalid_input`, whose message says what is wrong.
Result<VerificationKey> parse_verification_key(const json::value& jwk, MacKeys mac_keys = MacKeys::refuse);
Result<VerificationKey> parse_verification_key(std::string_view jwk, MacKeys mac_keys = MacKeys::refuse);

/// One key to sign with: a private JWK or an `oct` one.
Result<SigningKey> parse_signing_key(const json::value& jwk);
Result<SigningKey> parse_signing_key(const Secret& jwk);

struct JwkSet {
  KeySet keys;
  std::vector<std::string> skipped;  // why, for each key that was left out (RFC 7517 §5)
};
/// Keys of unknown or unsound kind are skipped. Error `invalid_input`: not an object with an array `keys`, or
/// more than limits::jwk_set_max_keys of them.
Result<JwkSet> parse_jwk_set(std::string_view text, MacKeys mac_keys = MacKeys::refuse);

/// SHA-256 of the required members in their order (RFC 7638 §3), in base64url.
std::string thumbprint(const crypto::PublicKey& key);

/// `kty`, its numbers, `alg`, `use`, `kid`.
json::object to_public_jwk(std::string_view kid, const crypto::PublicKey& key);
/// `{"keys": […]}`: what /.well-known/jwks.json answers. MAC keys are left out.
std::string to_public_jwk_set(const KeySet& keys);

}  // namespace keyward::protocol::jose
