#include "protocol/jose/jwt.hpp"

#include <algorithm>
#include <cmath>

namespace keyward::protocol::jose {

namespace {

constexpr double integer_limit = 9007199254740992.0;     // 2^53: up to here a double is exact (RFC 7493 §2.2)
constexpr double year_9999_end_unix_s = 253402300799.0;  // what Time and RFC 3339 can both say

std::string named(std::string_view name, std::string_view what) {
  return std::string{name} + " " + std::string{what};
}

Checked<const json::value*> get_claim(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr) return refuse(Reason::missing_claim, named(name, "is missing"));
  return value;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

seconds capped(seconds skew) { return std::clamp(skew, seconds{0}, limits::token_clock_skew); }

Checked<void> check_not_after(const json::object& claims, std::string_view name, Time latest,
                              Presence presence) {
  if (presence == Presence::optional && !claims.contains(name)) return {};
  const auto time = get_time(claims, name);
  if (!time) return std::unexpected(time.error());
  if (*time > latest) return refuse(Reason::not_yet_valid, named(name, "is in the future"));
  return {};
}

}  // namespace

Checked<json::object> parse_claims(std::string_view payload) {
  auto value = text::parse_json(payload);
  if (!value) return refuse(Reason::malformed, "claims: " + value.error().message);
  if (!value->is_object()) return refuse(Reason::malformed, "the claims are not an object");
  return std::move(value->get_object());
}

Checked<Time> get_time(const json::object& claims, std::string_view name) {
  const auto value = get_claim(claims, name);
  if (!value) return std::unexpected(value.error());
  if (!(*value)->is_number()) return refuse(Reason::invalid_claim, named(name, "is not a number"));
  const auto unix_s = (*value)->to_number<double>();
  // Written so that NaN fails it.
  if (!(unix_s >= 0 && unix_s < integer_limit))
    return refuse(Reason::invalid_claim, named(name, "is out of range"));
  const std::chrono::duration<double> since_epoch{std::min(unix_s, year_9999_end_unix_s)};
  return Time{std::chrono::floor<microseconds>(since_epoch)};
}

Checked<std::string> get_text(const json::object& claims, std::string_view name) {
  const auto value = get_claim(claims, name);
  if (!value) return std::unexpected(value.error());
  if (!(*value)->is_string() || (*value)->get_string().empty()) {
    return refuse(Reason::invalid_claim, named(name, "is not a string with something in it"));
  }
  return std::string{std::string_view{(*value)->get_string()}};
}

Checked<std::string> find_text(const json::object& claims, std::string_view name) {
  if (!claims.contains(name)) return std::string{};
  return get_text(claims, name);
}

Checked<std::vector<std::string>> get_audience(const json::object& claims) {
  const auto value = get_claim(claims, "aud");
  if (!value) return std::unexpected(value.error());
  const auto* list = (*value)->if_array();
  std::vector<std::string> audience;
  if (list == nullptr) {
    auto single = get_text(claims, "aud");
    if (!single) return std::unexpected(std::move(single).error());
    audience.push_back(std::move(*single));
    return audience;
  }
  for (const auto& each : *list) {
    if (!each.is_string()) return refuse(Reason::invalid_claim, "aud holds something that is not a string");
    audience.emplace_back(std::string_view{each.get_string()});
  }
  if (audience.empty()) return refuse(Reason::invalid_claim, "aud is empty");
  return audience;
}

Checked<void> check_type(const json::object& header, std::string_view type) {
  constexpr std::string_view prefix = "application/";
  const auto* value = header.if_contains("typ");
  if (value == nullptr || !value->is_string()) return refuse(Reason::wrong_type, "the header has no typ");
  std::string_view found{value->get_string()};
  // RFC 7515 §4.1.9: "application/" may be left out where no other slash is.
  if (found.size() > prefix.size() && equal_ignoring_case(found.substr(0, prefix.size()), prefix)) {
    found.remove_prefix(prefix.size());
  }
  if (!equal_ignoring_case(found, type)) return refuse(Reason::wrong_type, "typ is another kind of token's");
  return {};
}

Checked<void> check_issuer(const json::object& claims, std::string_view issuer) {
  const auto found = get_text(claims, "iss");
  if (!found) return std::unexpected(found.error());
  if (*found != issuer) return refuse(Reason::issuer_mismatch, "iss is another issuer");
  return {};
}

Checked<void> check_audience(const json::object& claims, std::string_view audience) {
  const auto found = get_audience(claims);
  if (!found) return std::unexpected(found.error());
  if (std::ranges::find(*found, audience) == found->end()) {
    return refuse(Reason::audience_mismatch, "aud does not name this audience");
  }
  return {};
}

Checked<void> check_expiry(const json::object& claims, Time now, seconds skew) {
  const auto expires_at = get_time(claims, "exp");
  if (!expires_at) return std::unexpected(expires_at.error());
  if (*expires_at + capped(skew) <= now) return refuse(Reason::expired, "exp has passed");
  return {};
}

Checked<void> check_not_before(const json::object& claims, Time now, Presence presence, seconds skew) {
  return check_not_after(claims, "nbf", now + capped(skew), presence);
}

Checked<void> check_issued_at(const json::object& claims, Time now, Presence presence, seconds skew) {
  return check_not_after(claims, "iat", now + capped(skew), presence);
}

}  // namespace keyward::protocol::jose
