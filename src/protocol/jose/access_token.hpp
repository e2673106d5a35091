// Access tokens: RFC 9068 (JWT profile for OAuth 2.0 access tokens), `typ: at+jwt`.
//
// Threats: an ID token, logout token or client assertion shown as an access token (answer: `typ`, J13); a
// token of another issuer or for another audience; one that has expired. Ended sessions and disabled users
// are not known here: `sid` and `sub` are what the caller looks them up by.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "protocol/jose/jws.hpp"

namespace keyward::protocol::jose {

struct AccessClaims {
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;
  Time issued_at;  // whole seconds: a NumericDate is written without its fraction
  Time expires_at;
  std::string jti;
  std::string sid{};        // "": no session
  std::string client_id{};  // "": none
  std::string scope{};      // names with spaces between them; "": none
  std::vector<std::string> roles{};
  bool operator==(const AccessClaims&) const = default;
};

struct Expectation {
  std::string_view issuer;
  std::string_view audience;
  Time now;
  /// How long after `exp` a token still counts: nothing where issuer and verifier are one. `iat` and `nbf`
  /// may always be limits::token_clock_skew ahead, since another node's clock may be.
  seconds expiry_skew{0};
};

/// Throws std::length_error when the token would be longer than limits::jws_max_bytes, which nobody would
/// accept.
std::string make_access_token(const AccessClaims& claims, const SigningKey& key);

/// Reasons: all of them.
Checked<AccessClaims> verify_access_token(std::string_view token, const KeySet& keys,
                                          const Expectation& expected);

}  // namespace keyward::protocol::jose
