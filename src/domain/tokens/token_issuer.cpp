#include "domain/tokens/token_issuer.hpp"

namespace keyward::domain {

namespace jose = protocol::jose;

std::string TokenIssuer::issue(const KeySnapshot& keys, const TokenSubject& subject, Time now,
                               Random& random) const {
  issued_.add();
  const auto issued_at = std::chrono::floor<seconds>(now);
  return jose::make_access_token({.issuer = settings_.issuer,
                                  .subject = subject.account_id.to_string(),
                                  .audience = {settings_.audience},
                                  .issued_at = issued_at,
                                  .expires_at = issued_at + settings_.access_token_lifetime,
                                  .jti = Uuid::make_v7(now, random).to_string(),
                                  .sid = subject.session_id.to_string(),
                                  .roles = subject.roles},
                                 keys.signer(now));
}

jose::Checked<VerifiedToken> TokenIssuer::verify(std::string_view token, const KeySnapshot& keys,
                                                 Time now) const {
  const auto claims =
      jose::verify_access_token(token, keys.verification_keys,
                                {.issuer = settings_.issuer, .audience = settings_.audience, .now = now});
  if (!claims) return std::unexpected(claims.error());
  const auto account_id = Uuid::parse(claims->subject);
  const auto session_id = Uuid::parse(claims->sid);
  if (!account_id || !session_id)
    return jose::refuse(jose::Reason::invalid_claim, "sub or sid is not a UUID");
  return VerifiedToken{*account_id, *session_id, claims->expires_at};
}

}  // namespace keyward::domain
