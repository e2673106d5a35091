// What a provider says of itself: OpenID Connect Discovery 1.0 §3, §4.3 (RFC 8414 has the same members).
//
// Threats: a document of another provider (answer: `issuer` is the configured one, byte for byte, §4.3, F5) ·
// codes, secrets or keys that travel in the clear (answer: every address is https, unless the operator
// allowed otherwise, for a provider on the same machine) · an address that means something else to whoever
// opens it (answer: no userinfo, no fragment, RFC 3986 characters) · a weaker algorithm talked into use
// (answer: HS256, `none` and what we do not know are left out of the list, J8, and an empty list is refused)
// · documents without end (limits::json_max_bytes; lists keep what we know, once).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/jose/algorithm.hpp"
#include "protocol/oauth2/client_authentication.hpp"
#include "protocol/oidc/refusal.hpp"

namespace keyward::protocol::oidc {

struct ProviderMetadata {
  std::string issuer;
  std::string authorization_endpoint;
  std::string token_endpoint;
  std::string userinfo_endpoint;  // "": none
  std::string jwks_uri;
  std::vector<jose::Algorithm> id_token_algorithms;  // those that both sides have; never empty
  std::vector<oauth2::ClientAuthentication> client_authentications;  // likewise; may be empty
  bool iss_parameter = false;  // authorization_response_iss_parameter_supported (RFC 9207 §3)
  bool pkce_s256 = false;      // it says so. We send PKCE either way.
};

/// Reasons: too_large, malformed, missing_claim, invalid_claim, issuer_mismatch, endpoint_in_clear,
/// algorithm_mismatch (it signs ID tokens with nothing that we verify; the detail lists what it has).
Checked<ProviderMetadata> parse_provider_metadata(std::string_view json, std::string_view issuer,
                                                  bool clear_text_allowed);

/// Where the document is (§4.1): the issuer, and `/.well-known/openid-configuration` behind it with one
/// slash.
std::string metadata_url(std::string_view issuer);

}  // namespace keyward::protocol::oidc
