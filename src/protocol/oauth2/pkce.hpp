// PKCE, RFC 7636, with the method S256 and no other.
//
// Threats: a code that somebody caught is redeemed by another (answer: the token endpoint wants the verifier
// that only the client which began has, §4.6) · a code put into another login's callback (RFC 9700 §4.5: the
// verifier is that login's) · `plain`, with which the request itself tells the verifier (answer: there is no
// way to say it) · a verifier that can be guessed (answer: 256 random bits, §7.1).
#pragma once

#include <string>
#include <string_view>

#include "base/random.hpp"

namespace keyward::protocol::oauth2 {

inline constexpr std::string_view pkce_method = "S256";

/// 32 random bytes as 43 characters.
std::string make_verifier(Random& random);
/// BASE64URL(SHA256(verifier)) (§4.2).
std::string challenge_s256(std::string_view verifier);

/// 43 to 128 unreserved characters (§4.1).
bool is_verifier(std::string_view text);
/// 43 characters of base64url: a SHA-256.
bool is_challenge(std::string_view text);

/// In constant time. What is no verifier verifies nothing.
[[nodiscard]] bool verifies(std::string_view verifier, std::string_view challenge);

}  // namespace keyward::protocol::oauth2
