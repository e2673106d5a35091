// What a provider says of somebody: OpenID Connect Core §5.1, §5.3.2, §5.7.
//
// Threats: an address that somebody claims and the provider never verified (answer: verified only by the JSON
// value that means it; "true" as a string, a number or an object is no `true`, F2) · UserInfo of somebody
// else, by a swapped access token (answer: `sub` must be the ID token's, §5.3.2, F6) · a verified mark that
// ends up at another address (answer: merged() moves the two together) · names with control characters (one
// line, cut). Whose account this is, is decided by issuer and subject, never by an address (§5.7, F1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/oidc/refusal.hpp"
#include "text/json.hpp"

namespace keyward::protocol::oidc {

namespace json = text::json;

struct Person {
  std::string subject;
  std::string email;  // as the provider wrote it; "" when it said none, or none that is an address
  bool email_verified = false;
  bool email_denied = false;  // it says that the address is not verified, rather than nothing
  std::string name;
  std::string hosted_domain;  // Google's `hd`; "": no organisation's account
  bool operator==(const Person&) const = default;
};

/// How a provider writes that an address is verified.
enum class VerifiedSpelling : std::uint8_t {
  json_boolean,
  apple,      // also the strings "true" and "false"
  microsoft,  // `email_verified` is not looked at: `xms_edov`, in any of true, 1, "1", "true" and their
              // opposites
};

/// Missing or null: not verified. Reasons: missing_claim, invalid_claim.
Checked<Person> person_of(const json::object& claims, VerifiedSpelling spelling);

/// `subject` is the ID token's. Reasons: too_large, malformed, missing_claim, invalid_claim,
/// subject_mismatch.
Checked<Person> person_of_userinfo(std::string_view json, std::string_view subject,
                                   VerifiedSpelling spelling);

/// What the ID token leaves out is taken from UserInfo: an address goes with its own mark, and the mark alone
/// only to the same address. Of another subject's UserInfo nothing is taken.
Person merged(Person from_id_token, Person from_userinfo);

}  // namespace keyward::protocol::oidc
