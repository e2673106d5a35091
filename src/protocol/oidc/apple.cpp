#include "protocol/oidc/apple.hpp"

#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "base/limits.hpp"
#include "protocol/jose/jws.hpp"
#include "protocol/oidc/claims.hpp"
#include "text/unicode.hpp"

namespace keyward::protocol::oidc {

std::string make_apple_client_secret(const AppleClient& client, const jose::SigningKey& key) {
  if (key.algorithm() != jose::Algorithm::es256 || key.kid().empty()) {
    throw std::invalid_argument("Apple's client secret is signed with ES256 by a key that has a name");
  }
  const json::object payload{{"iss", client.team_id},
                             {"iat", to_unix_s(client.issued_at)},
                             {"exp", to_unix_s(client.issued_at + limits::client_assertion_lifetime)},
                             {"aud", client.audience},
                             {"sub", client.client_id}};
  return jose::sign_compact(json::serialize(payload), key);
}

std::string name_of_apple_user(std::string_view user_form_field_json) {
  const auto user = parse_document(user_form_field_json, "user");
  if (!user) return {};
  const auto* value = user->if_contains("name");
  if (value == nullptr || !value->is_object()) return {};
  auto name = find_name(value->get_object(), "firstName");
  const auto last = find_name(value->get_object(), "lastName");
  if (!name.empty() && !last.empty()) name += ' ';
  return text::to_storable_text(name + last, limits::provider_text_max_bytes);
}

}  // namespace keyward::protocol::oidc
