#include "protocol/oidc/provider_metadata.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "protocol/oauth2/characters.hpp"
#include "protocol/oauth2/pkce.hpp"
#include "protocol/oauth2/provider_words.hpp"
#include "protocol/oidc/claims.hpp"

namespace keyward::protocol::oidc {

namespace {

using oauth2::ClientAuthentication;

enum class Need : std::uint8_t { required, optional };

/// A scheme, an authority of host and port, and what may follow; "" when it is absent and may be.
Checked<std::string> read_endpoint(const json::object& metadata, std::string_view name, Need need,
                                   bool clear_text_allowed) {
  constexpr std::string_view https = "https://";
  constexpr std::string_view http = "http://";
  auto url = find_string(metadata, name);
  if (!url) return url;
  if (url->empty()) {
    if (need == Need::optional) return url;
    return refuse(Reason::missing_claim, std::string{name} + " is missing");
  }
  const bool secure = url->starts_with(https);
  if (!secure && url->starts_with(http) && !clear_text_allowed) {
    return refuse(Reason::endpoint_in_clear, std::string{name} + " is not https");
  }
  const auto bad = refuse(Reason::invalid_claim, std::string{name} + " is not an address of https");
  if ((!secure && !url->starts_with(http)) || url->size() > limits::outbound_url_max_bytes) return bad;
  const auto rest = std::string_view{*url}.substr(secure ? https.size() : http.size());
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  // RFC 3986 §3.2.2; '@' would begin a host behind a user's name.
  const auto is_of_host = [](char c) {
    return oauth2::is_alphanumeric(c) || std::string_view{"-.:[]"}.contains(c);
  };
  if (authority.empty() || !std::ranges::all_of(authority, is_of_host)) return bad;
  if (!oauth2::is_url_tail(rest.substr(authority.size()))) return bad;
  return url;
}

/// The strings of a list, each handed to `f`; an absent list has none.
template <class F>
Checked<void> for_each_text(const json::object& metadata, std::string_view name, F f) {
  const auto* value = metadata.if_contains(name);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_array()) return refuse(Reason::invalid_claim, std::string{name} + " is not an array");
  for (const auto& each : value->get_array()) {
    if (!each.is_string()) return refuse(Reason::invalid_claim, std::string{name} + " holds no strings");
    f(std::string_view{each.get_string()});
  }
  return {};
}

template <class T>
void add_once(std::vector<T>& list, T value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

Checked<std::vector<jose::Algorithm>> read_algorithms(const json::object& metadata) {
  constexpr std::string_view name = "id_token_signing_alg_values_supported";
  std::vector<jose::Algorithm> known;
  std::string all;
  const auto read = for_each_text(metadata, name, [&](std::string_view text) {
    if (all.size() < limits::provider_text_max_bytes)
      all.append(all.empty() ? "" : ", ").append(text.substr(0, 16));
    const auto algorithm = jose::parse_algorithm(text);
    // HS256: a MAC with the client's secret, which tells nothing once that secret is known (J8).
    if (algorithm && *algorithm != jose::Algorithm::hs256) add_once(known, *algorithm);
  });
  if (!read) return std::unexpected(read.error());
  if (all.empty()) return refuse(Reason::missing_claim, std::string{name} + " is missing");
  if (known.empty()) {
    return refuse(Reason::algorithm_mismatch, "the provider signs ID tokens with " +
                                                  oauth2::provider_words(all) +
                                                  "; verified are ES256, EdDSA, RS256 and PS256");
  }
  return known;
}

Checked<std::vector<ClientAuthentication>> read_client_authentications(const json::object& metadata) {
  constexpr std::string_view name = "token_endpoint_auth_methods_supported";
  std::vector<ClientAuthentication> known;
  if (!metadata.contains(name)) known.push_back(ClientAuthentication::basic);  // §3: the default
  const auto read = for_each_text(metadata, name, [&](std::string_view text) {
    if (const auto method = oauth2::parse_client_authentication(text)) add_once(known, *method);
  });
  if (!read) return std::unexpected(read.error());
  return known;
}

Checked<bool> read_flag(const json::object& metadata, std::string_view name) {
  const auto* value = metadata.if_contains(name);
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_bool())
    return refuse(Reason::invalid_claim, std::string{name} + " is neither true nor false");
  return value->get_bool();
}

Checked<bool> lists(const json::object& metadata, std::string_view name, std::string_view wanted) {
  bool found = false;
  const auto read =
      for_each_text(metadata, name, [&](std::string_view text) { found = found || text == wanted; });
  if (!read) return std::unexpected(read.error());
  return found;
}

Checked<void> check_response_types(const json::object& metadata) {
  constexpr std::string_view name = "response_types_supported";
  const auto code = lists(metadata, name, "code");
  if (!code) return std::unexpected(code.error());
  if (metadata.contains(name) && !*code)
    return refuse(Reason::invalid_claim, "the provider has no authorization codes");
  return {};
}

/// Puts what `read` gave into `target`; false, and its refusal in `refusal`, when it gave nothing.
template <class T>
bool take(Checked<T> read, T& target, Refusal& refusal) {
  if (!read) {
    refusal = std::move(read).error();
    return false;
  }
  target = std::move(*read);
  return true;
}

}  // namespace

Checked<ProviderMetadata> parse_provider_metadata(std::string_view json, std::string_view issuer,
                                                  bool clear_text_allowed) {
  const auto parsed = parse_document(json, "the provider's metadata");
  if (!parsed) return std::unexpected(parsed.error());
  const auto& metadata = *parsed;
  ProviderMetadata result;
  Refusal refusal;
  if (!take(jose::get_text(metadata, "issuer"), result.issuer, refusal)) return std::unexpected(refusal);
  if (result.issuer != issuer) {
    return refuse(Reason::issuer_mismatch, "the metadata are of " + oauth2::provider_words(result.issuer));
  }
  const auto endpoint = [&](std::string_view name, Need need) {
    return read_endpoint(metadata, name, need, clear_text_allowed);
  };
  const bool complete =
      take(endpoint("authorization_endpoint", Need::required), result.authorization_endpoint, refusal) &&
      take(endpoint("token_endpoint", Need::required), result.token_endpoint, refusal) &&
      take(endpoint("userinfo_endpoint", Need::optional), result.userinfo_endpoint, refusal) &&
      take(endpoint("jwks_uri", Need::required), result.jwks_uri, refusal) &&
      take(read_algorithms(metadata), result.id_token_algorithms, refusal) &&
      take(read_client_authentications(metadata), result.client_authentications, refusal) &&
      take(read_flag(metadata, "authorization_response_iss_parameter_supported"), result.iss_parameter,
           refusal) &&
      take(lists(metadata, "code_challenge_methods_supported", oauth2::pkce_method), result.pkce_s256,
           refusal);
  if (!complete) return std::unexpected(refusal);
  if (auto checked = check_response_types(metadata); !checked) return std::unexpected(checked.error());
  return result;
}

std::string metadata_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string{issuer} + "/.well-known/openid-configuration";
}

}  // namespace keyward::protocol::oidc
