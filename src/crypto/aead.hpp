// Sealing: authenticated encryption of what must not be read from a stolen database (signing keys, provider
// secrets).
//
// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) of libsodium; its 24-byte nonce may be drawn at random
// without counting. A sealed value is: one version byte, the nonce, the ciphertext with its tag of 16 bytes.
// Threats: a value moved to another row (answer: the row's id is associated data, checked when opening); a
// changed value (answer: the tag); an older form forced on us (answer: the version byte is authenticated
// too).
#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

inline constexpr std::size_t sealing_key_bytes = 32;

/// `key` has 32 bytes (a sub-key of MasterKey); throws std::invalid_argument for another length.
Bytes seal(const Secret& key, const Secret& plaintext, BytesView associated_data, Random& random);

/// Error `internal`: not sealed with this key and this associated data, or changed since.
Result<Secret> open(const Secret& key, BytesView sealed, BytesView associated_data);

}  // namespace keyward::crypto
