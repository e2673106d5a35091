// Discord, which speaks OAuth 2.0 and no OpenID Connect: `GET /users/@me`
// (discord.com/developers/docs/resources/user).
//
// Threats: a user name that changes hands (answer: the subject is `id`, a snowflake as text) · an address
// that was never verified (answer: `verified` must be the JSON value true, F2).
#pragma once

#include <string_view>

#include "protocol/oidc/person.hpp"

namespace keyward::protocol::oidc {

/// Reasons: too_large, malformed, missing_claim, invalid_claim.
Checked<Person> person_of_discord(std::string_view user_json);

}  // namespace keyward::protocol::oidc
