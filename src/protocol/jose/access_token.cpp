#include "protocol/jose/access_token.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "protocol/jose/jwt.hpp"

namespace keyward::protocol::jose {

namespace {

constexpr std::string_view access_token_type = "at+jwt";  // RFC 9068 §2.1

json::array to_array(const std::vector<std::string>& texts) {
  json::array list;
  for (const auto& text : texts) list.emplace_back(text);
  return list;
}

Checked<std::vector<std::string>> find_roles(const json::object& claims) {
  std::vector<std::string> roles;
  const auto* value = claims.if_contains("roles");
  if (value == nullptr) return roles;
  if (!value->is_array()) return refuse(Reason::invalid_claim, "roles is not an array");
  for (const auto& each : value->get_array()) {
    if (!each.is_string()) return refuse(Reason::invalid_claim, "roles holds something that is not a string");
    roles.emplace_back(std::string_view{each.get_string()});
  }
  return roles;
}

Checked<void> check_all(const json::object& header, const json::object& claims, const Expectation& expected) {
  // All are made, and the first that fails is told: the order is part of what `reason` means.
  const std::array checks{
      check_type(header, access_token_type),
      check_issuer(claims, expected.issuer),
      check_audience(claims, expected.audience),
      check_expiry(claims, expected.now, expected.expiry_skew),
      check_not_before(claims, expected.now, Presence::optional),
      check_issued_at(claims, expected.now, Presence::required),
  };
  const auto failed = std::ranges::find_if(checks, [](const auto& check) { return !check.has_value(); });
  return failed == checks.end() ? Checked<void>{} : *failed;
}

/// Puts what `read` gave into `target`, or keeps the first refusal in `refusal`.
template <class T>
void take(Checked<T> read, T& target, std::optional<Refusal>& refusal) {
  if (read) {
    target = std::move(*read);
  } else if (!refusal) {
    refusal = std::move(read).error();
  }
}

/// As find_text, but it may be empty: ours is when no scope was granted.
Checked<std::string> find_scope(const json::object& claims) {
  const auto* value = claims.if_contains("scope");
  if (value != nullptr && value->is_string() && value->get_string().empty()) return std::string{};
  return find_text(claims, "scope");
}

Checked<AccessClaims> read_claims(const json::object& claims) {
  AccessClaims result;
  std::optional<Refusal> refusal;
  take(get_text(claims, "iss"), result.issuer, refusal);
  take(get_text(claims, "sub"), result.subject, refusal);
  take(get_audience(claims), result.audience, refusal);
  take(get_time(claims, "iat"), result.issued_at, refusal);
  take(get_time(claims, "exp"), result.expires_at, refusal);
  take(get_text(claims, "jti"), result.jti, refusal);
  take(find_text(claims, "sid"), result.sid, refusal);
  take(find_text(claims, "client_id"), result.client_id, refusal);
  take(find_scope(claims), result.scope, refusal);
  take(find_roles(claims), result.roles, refusal);
  if (refusal) return std::unexpected(std::move(*refusal));
  return result;
}

}  // namespace

std::string make_access_token(const AccessClaims& claims, const SigningKey& key) {
  json::object payload{{"iss", claims.issuer}, {"sub", claims.subject}};
  // RFC 7519 §4.1.3: a single audience is written as a string.
  if (claims.audience.size() == 1) {
    payload["aud"] = claims.audience.front();
  } else {
    payload["aud"] = to_array(claims.audience);
  }
  payload["exp"] = to_unix_s(claims.expires_at);
  payload["iat"] = to_unix_s(claims.issued_at);
  payload["jti"] = claims.jti;
  if (!claims.sid.empty()) payload["sid"] = claims.sid;
  if (!claims.client_id.empty()) payload["client_id"] = claims.client_id;
  payload["scope"] = claims.scope;  // always there, so that a resource server need not ask
  payload["roles"] = to_array(claims.roles);
  auto token = sign_compact(json::serialize(payload), key, access_token_type);
  if (token.size() > limits::jws_max_bytes) throw std::length_error("the access token is too long");
  return token;
}

Checked<AccessClaims> verify_access_token(std::string_view token, const KeySet& keys,
                                          const Expectation& expected) {
  const auto jws = verify_compact(token, keys);
  if (!jws) return std::unexpected(jws.error());
  const auto claims = parse_claims(jws->payload());
  if (!claims) return std::unexpected(claims.error());
  if (auto checked = check_all(jws->header(), *claims, expected); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  return read_claims(*claims);
}

}  // namespace keyward::protocol::jose
