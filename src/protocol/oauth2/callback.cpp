#include "protocol/oauth2/callback.hpp"

#include "base/limits.hpp"
#include "protocol/oauth2/characters.hpp"
#include "protocol/oauth2/provider_words.hpp"

namespace keyward::protocol::oauth2 {

namespace {

/// RFC 9207 §2.4: a plain comparison of strings, before the rest of the answer is believed.
Checked<void> check_issuer(const std::optional<std::string>& iss, const CallbackExpectation& expected) {
  if (!iss) {
    if (!expected.iss_required) return {};
    return refuse(Reason::callback_issuer_missing,
                  "iss is missing, though the provider's metadata promise it");
  }
  if (*iss != expected.issuer) return refuse(Reason::callback_issuer_mismatch, "iss is another issuer");
  return {};
}

}  // namespace

Checked<std::string> check_callback(const CallbackParameters& parameters,
                                    const CallbackExpectation& expected) {
  if (auto checked = check_issuer(parameters.iss, expected); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  if (parameters.error && parameters.code) return refuse(Reason::malformed, "both a code and an error");
  if (parameters.error) return refuse(Reason::provider_error, provider_words(*parameters.error));
  if (!parameters.code) return refuse(Reason::malformed, "neither a code nor an error");
  const auto& code = *parameters.code;
  if (code.size() > limits::provider_code_max_bytes) return refuse(Reason::too_large, "the code is too long");
  if (!is_visible_ascii(code)) return refuse(Reason::malformed, "the code has characters that no code has");
  return code;
}

}  // namespace keyward::protocol::oauth2
