// JSON Web Token claims (RFC 7519 §4.1, RFC 8725 §3.8 to §3.12), each check by itself: a kind of token picks
// its own.
//
// Threats: one kind of token taken for another (answer: check_type, J13); another issuer's or audience's
// token (answer: exact comparison, J14); times that are strings, huge, negative or not numbers (answer:
// refused, not rounded, J14).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "protocol/jose/refusal.hpp"
#include "text/json.hpp"

namespace keyward::protocol::jose {

namespace json = text::json;

enum class Presence : std::uint8_t { required, optional };

/// The payload as claims: a JSON object without duplicate members. Reasons: malformed.
Checked<json::object> parse_claims(std::string_view payload);

/// A NumericDate: an integer or finite number, 0 <= t < 2^53; beyond the year 9999 it counts as that year's
/// end. Reasons: missing_claim, invalid_claim.
Checked<Time> get_time(const json::object& claims, std::string_view name);
/// Reasons: missing_claim, invalid_claim (not a string, or empty).
Checked<std::string> get_text(const json::object& claims, std::string_view name);
/// As get_text, but an absent claim is "".
Checked<std::string> find_text(const json::object& claims, std::string_view name);
/// `aud`: one string or an array of at least one. Reasons: missing_claim, invalid_claim.
Checked<std::vector<std::string>> get_audience(const json::object& claims);

/// `typ` of the header is `type` ("at+jwt"), also as "application/at+jwt", in any case (RFC 7515 §4.1.9).
/// Reasons: wrong_type.
Checked<void> check_type(const json::object& header, std::string_view type);
/// `iss` is exactly this. Reasons: missing_claim, invalid_claim, issuer_mismatch.
Checked<void> check_issuer(const json::object& claims, std::string_view issuer);
/// `aud` is or holds exactly this. Reasons: missing_claim, invalid_claim, audience_mismatch.
Checked<void> check_audience(const json::object& claims, std::string_view audience);

// A skew above limits::token_clock_skew counts as that.
/// `exp` + skew is after now. Reasons: missing_claim, invalid_claim, expired.
Checked<void> check_expiry(const json::object& claims, Time now, seconds skew = limits::token_clock_skew);
/// `nbf` is not after now + skew. Reasons: missing_claim (when required), invalid_claim, not_yet_valid.
Checked<void> check_not_before(const json::object& claims, Time now, Presence presence,
                               seconds skew = limits::token_clock_skew);
/// `iat` is not after now + skew. Reasons as check_not_before.
Checked<void> check_issued_at(const json::object& claims, Time now, Presence presence,
                              seconds skew = limits::token_clock_skew);

}  // namespace keyward::protocol::jose
