// GitHub, which speaks OAuth 2.0 and no OpenID Connect: `GET /user` and `GET /user/emails?per_page=100`,
// which pages by 30 otherwise (docs.github.com/en/rest/users). Both are asked with the access token, over
// TLS, and nothing is signed.
//
// Threats: a login name, which can be given up and taken by somebody else (answer: the subject is the number
// `id`) · the address of the public profile, which is whatever its owner likes to show (answer: only the list
// of addresses is read, and of it the one that is both primary and verified, F2).
#pragma once

#include <string_view>

#include "protocol/oidc/person.hpp"

namespace keyward::protocol::oidc {

/// `emails_json` "": the list was not asked for, and there is no address. Reasons: too_large, malformed,
/// missing_claim, invalid_claim.
Checked<Person> person_of_github(std::string_view user_json, std::string_view emails_json);

}  // namespace keyward::protocol::oidc
