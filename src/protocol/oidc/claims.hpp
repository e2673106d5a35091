// Claims that several of a provider's documents have, read in one way.
#pragma once

#include <string>
#include <string_view>

#include "protocol/jose/jwt.hpp"
#include "protocol/oidc/refusal.hpp"

namespace keyward::protocol::oidc {

namespace json = text::json;

/// `sub` (OpenID Connect Core §2): 1 to limits::provider_subject_max_bytes of ASCII, none of it a control
/// character. Reasons: missing_claim, invalid_claim.
Checked<std::string> get_subject(const json::object& claims);

/// An object that came from a provider's endpoint; `what` names it in the refusal. Reasons: too_large,
/// malformed.
Checked<json::object> parse_document(std::string_view text, std::string_view what);

/// A string; absent and null are "". Reasons: invalid_claim.
Checked<std::string> find_string(const json::object& claims, std::string_view name);

/// A name to greet somebody by: one line, cut at limits::provider_text_max_bytes. What is no string is "".
std::string find_name(const json::object& claims, std::string_view name);

/// The address that `claim` holds when it is one (text/email.hpp), "" otherwise: an address that no account
/// could have is none. Reasons: invalid_claim (another JSON type).
Checked<std::string> find_address(const json::object& claims, std::string_view name);

}  // namespace keyward::protocol::oidc
