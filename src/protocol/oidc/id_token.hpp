// ID tokens, as the relying party takes them: OpenID Connect Core §2, §3.1.3.7, §3.1.3.8.
//
// Threats (F6): a token of another provider, for another client, of another login or of another tenant
// (answer: `iss` is exact, `aud` is our client id and nobody beside it, `azp` is ours, `nonce` is compared in
// constant time, `tid` is the pinned tenant) · another kind of token of the same provider's (answer: `typ` is
// absent or JWT, J13) · `none`, HS256 with the public key as its secret, another family of algorithm (answer:
// the list of the provider's asymmetric algorithms and the key's own both decide, J8) · an old token (answer:
// `exp`, and `iat` within limits::provider_token_age_max) · an access token that belongs to somebody else
// (answer: `at_hash`, when it is there) · subjects that do not fit our tables (answer: 1 to 255 of ASCII).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "protocol/jose/key_set.hpp"
#include "protocol/oidc/refusal.hpp"
#include "text/json.hpp"

namespace keyward::protocol::oidc {

namespace json = text::json;

/// An empty issuer, client id or nonce fits no token.
struct IdTokenExpectation {
  std::string_view issuer;
  std::string_view client_id;
  std::string_view nonce;
  std::span<const jose::Algorithm> algorithms;
  Time now;
  std::string_view access_token{};  // that came with it: `at_hash` must be its hash; "": not looked at
  std::string_view tenant{};        // Microsoft's `tid` must be this; "": not looked at
};

struct IdToken {
  std::string subject;
  std::optional<Time> auth_time;
  json::object claims;
};

/// The first check that fails is told. Reasons: too_large, those of jose::verify_compact (unknown_key: the
/// provider may have new keys, fetch them and try once more), and then in this order algorithm_mismatch,
/// wrong_type, issuer_mismatch, audience_mismatch, azp_mismatch, expired, not_yet_valid, issued_too_long_ago,
/// nonce_mismatch, at_hash_mismatch, tenant_mismatch; malformed, missing_claim and invalid_claim of any
/// claim.
Checked<IdToken> verify_id_token(std::string_view token, const jose::KeySet& keys,
                                 const IdTokenExpectation& expected);

}  // namespace keyward::protocol::oidc
