// What a token endpoint answers: RFC 6749 §5.1, §5.2, OpenID Connect Core §3.1.3.3.
//
// Threats: a token with characters that end a header (answer: visible ASCII only) · a kind of token that we
// could not use as the provider means it (answer: Bearer or nothing, §7.1) · an error that looks like success
// (answer: an `error` member refuses whatever the status is; GitHub sends 200) · size
// (limits::provider_token_max_bytes). Refresh tokens are not read: we do not act for people at a provider.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "protocol/oidc/refusal.hpp"

namespace keyward::protocol::oauth2 {

struct TokenAnswer {
  Secret access_token;
  std::string token_type;  // as the provider wrote it: Bearer, in some case
  std::string id_token;    // "": none
  std::string scope;       // "": as asked for
};

/// Reasons: token_refused (detail: the provider's error), malformed, missing_claim, invalid_claim, too_large.
Checked<TokenAnswer> parse_token_answer(unsigned status, std::string_view body);

}  // namespace keyward::protocol::oauth2
