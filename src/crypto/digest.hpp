// Hashes (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869), and the only comparison that secrets may meet.
//
// Threat: a comparison that stops at the first difference tells how far a guess was right (J16).
// Answer: constant_time_equal, for every MAC, token and hash of a token.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

using Sha256 = std::array<std::uint8_t, 32>;
using Sha384 = std::array<std::uint8_t, 48>;
using Sha512 = std::array<std::uint8_t, 64>;

Sha256 sha256(BytesView message);
Sha384 sha384(BytesView message);
Sha512 sha512(BytesView message);

Sha256 hmac_sha256(BytesView key, BytesView message);
Sha512 hmac_sha512(BytesView key, BytesView message);

/// HKDF-SHA-256: extract, then expand to 32 bytes.
Secret hkdf_sha256(BytesView input_key, BytesView salt, BytesView info);

/// Takes the same time wherever the two differ. Lengths are no secret: different ones are unequal at once.
[[nodiscard]] bool constant_time_equal(BytesView a, BytesView b);
[[nodiscard]] inline bool constant_time_equal(std::string_view a, std::string_view b) {
  return constant_time_equal(as_bytes(a), as_bytes(b));
}

}  // namespace keyward::crypto
