#include "features/social_login/handover.hpp"

#include "protocol/oauth2/pkce.hpp"
#include "protocol/oauth2/return_to.hpp"

namespace keyward::features {

namespace oauth2 = protocol::oauth2;

Result<domain::Handover> to_handover(const AskedHandover& asked, std::span<const std::string> origins) {
  domain::Handover handover;
  if (asked.code_challenge) {
    if (!oauth2::is_challenge(*asked.code_challenge))
      return fail_field("code_challenge", "must be 43 characters of base64url: a SHA-256 (RFC 7636)");
    if (asked.code_challenge_method != std::string{oauth2::pkce_method})
      return fail_field("code_challenge_method", "must be S256");
    handover.code_challenge = *asked.code_challenge;
  }
  if (!asked.return_to) return handover;
  if (!asked.code_challenge) return fail_field("code_challenge", "is needed with return_to");
  auto checked = oauth2::check_return_to(*asked.return_to, origins);
  if (!checked) return fail_from(checked);
  handover.return_to = std::move(*checked);
  return handover;
}

}  // namespace keyward::features
