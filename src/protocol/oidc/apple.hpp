// Where Sign in with Apple goes its own way (developer.apple.com/documentation/signinwithapplerestapi): the
// client secret is a token that we sign, and the name comes with the first callback only.
//
// Threats: a secret that lasts half a year, as Apple lets it (answer: one for each call, for
// limits::client_assertion_lifetime) · the form field `user`, which the browser brings and anybody can write
// (answer: it gives a name to greet by and nothing else; its `email` is not read, the ID token has that).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "protocol/jose/key_set.hpp"

namespace keyward::protocol::oidc {

struct AppleClient {
  std::string_view team_id;    // `iss`
  std::string_view client_id;  // `sub`: the Services ID
  std::string_view audience;   // the issuer
  Time issued_at;
};
/// `client_secret` of a call to the token endpoint. The key is ES256 and named by Apple's key id
/// (std::invalid_argument otherwise: a setting that was not checked).
std::string make_apple_client_secret(const AppleClient& client, const jose::SigningKey& key);

/// First and last name of the field `user`; "" for whatever is not Apple's JSON.
std::string name_of_apple_user(std::string_view user_form_field_json);

}  // namespace keyward::protocol::oidc
