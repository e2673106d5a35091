// The answer that a provider sends by the browser: RFC 6749 §4.1.2, §4.1.2.1, RFC 9207 §2.4.
//
// Threats: mix-up, where one provider's code is handed to another (answer: `iss` is the issuer that this
// login began with, whether or not the provider promised it, and it is looked at before anything else, F5) ·
// an error made up by somebody else (answer: the same check first; an error wins nothing) · words of the
// provider's in logs (answer: cleaned and cut). That `state` is the one of this browser's login is not
// decided here: the caller finds the login by it (F4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/oidc/refusal.hpp"

namespace keyward::protocol::oauth2 {

/// As they were sent, decoded. A parameter that came twice is the caller's to refuse (RFC 6749 §3.1).
struct CallbackParameters {
  std::optional<std::string> code, state, iss, error, error_description;
};

struct CallbackExpectation {
  std::string_view issuer;
  bool iss_required = false;  // metadata: authorization_response_iss_parameter_supported
};

/// The code. Reasons: callback_issuer_missing, callback_issuer_mismatch, provider_error (detail: the word of
/// `error`, such as access_denied), malformed, too_large.
Checked<std::string> check_callback(const CallbackParameters& parameters,
                                    const CallbackExpectation& expected);

}  // namespace keyward::protocol::oauth2
