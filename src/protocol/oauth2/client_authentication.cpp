#include "protocol/oauth2/client_authentication.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/limits.hpp"
#include "protocol/jose/jws.hpp"
#include "protocol/oauth2/form.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::oauth2 {

namespace {

constexpr std::array<std::pair<ClientAuthentication, std::string_view>, 3> names{
    {{ClientAuthentication::basic, "client_secret_basic"},
     {ClientAuthentication::post, "client_secret_post"},
     {ClientAuthentication::private_key_jwt, "private_key_jwt"}}};

/// RFC 4648 §4: the other alphabet, and padding.
std::string to_base64(std::string_view text) {
  auto encoded = text::to_base64url(as_bytes(text));
  std::ranges::replace(encoded, '-', '+');
  std::ranges::replace(encoded, '_', '/');
  while (encoded.size() % 4 != 0) encoded += '=';
  return encoded;
}

}  // namespace

std::string_view to_name(ClientAuthentication method) {
  return std::ranges::find(names, method, [](const auto& row) { return row.first; })->second;
}

std::optional<ClientAuthentication> parse_client_authentication(std::string_view name) {
  const auto* const found = std::ranges::find(names, name, [](const auto& row) { return row.second; });
  if (found == names.end()) return std::nullopt;
  return found->first;
}

std::string basic_credentials(std::string_view client_id, const Secret& secret) {
  auto encoded_secret = to_form(secret.text());
  auto pair = to_form(client_id);
  pair.reserve(pair.size() + 1 + encoded_secret.size());
  pair += ':';
  pair += encoded_secret;
  auto encoded = to_base64(pair);
  auto credentials = "Basic " + encoded;
  for (auto* each : {&encoded_secret, &pair, &encoded}) wipe(*each);
  return credentials;
}

std::string make_client_assertion(const AssertionClaims& claims, const jose::SigningKey& key) {
  const jose::json::object payload{{"iss", claims.client_id},
                                   {"sub", claims.client_id},
                                   {"aud", claims.audience},
                                   {"jti", claims.jti},
                                   {"iat", to_unix_s(claims.issued_at)},
                                   {"exp", to_unix_s(claims.issued_at + limits::client_assertion_lifetime)}};
  return jose::sign_compact(jose::json::serialize(payload), key, "JWT");
}

}  // namespace keyward::protocol::oauth2
