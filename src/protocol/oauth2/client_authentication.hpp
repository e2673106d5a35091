// How a client shows the token endpoint who it is: RFC 6749 §2.3.1, OpenID Connect Core §9, RFC 7523 §2.2,
// §3.
//
// Threats: an id or secret with a colon or a percent sign, read otherwise than it was meant (answer: both are
// form-encoded before they are joined, §2.3.1) · an assertion that is kept and shown again, or to another
// server (answer: two minutes, one audience, a `jti`). `client_secret_jwt` and mutual TLS are not supported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "protocol/jose/key_set.hpp"

namespace keyward::protocol::oauth2 {

enum class ClientAuthentication : std::uint8_t { basic, post, private_key_jwt };

/// As in metadata: `client_secret_basic`, `client_secret_post`, `private_key_jwt`.
std::string_view to_name(ClientAuthentication method);
std::optional<ClientAuthentication> parse_client_authentication(std::string_view name);

/// The value of an Authorization header: `Basic …`. A secret: wipe it when it was sent.
std::string basic_credentials(std::string_view client_id, const Secret& secret);

inline constexpr std::string_view client_assertion_type =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct AssertionClaims {
  std::string_view client_id;  // `iss` and `sub`
  std::string_view audience;   // the token endpoint, or the issuer: what the provider wants
  std::string_view jti;
  Time issued_at;
};
/// Good for limits::client_assertion_lifetime.
std::string make_client_assertion(const AssertionClaims& claims, const jose::SigningKey& key);

}  // namespace keyward::protocol::oauth2
