#include "app/providers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "app/config/provider_check.hpp"
#include "base/limits.hpp"
#include "crypto/certificates.hpp"
#include "protocol/jose/algorithm.hpp"

namespace keyward::app {

namespace {

std::unexpected<Error> refuse(std::string_view name, std::string_view key, std::string_view message) {
  return fail(ErrorCode::invalid_input, fmt::format("providers.{}.{} {}", name, key, message));
}

Result<std::string> read_authorities(std::string_view name, const std::filesystem::path& file) {
  if (file.empty()) return std::string{};
  std::ifstream stream{file, std::ios::binary};
  std::string pem(limits::outbound_ca_max_bytes, '\0');
  if (!stream.read(pem.data(), static_cast<std::streamsize>(pem.size())) && !stream.eof())
    return refuse(name, "ca_file", "cannot be read");
  pem.resize(static_cast<std::size_t>(stream.gcount()));
  if (crypto::count_certificates(pem) == 0) return refuse(name, "ca_file", "has no certificate");
  return pem;
}

Result<std::optional<protocol::jose::SigningKey>> read_key(std::string_view name,
                                                           const ProviderConfig& config) {
  if (config.private_key.empty()) return std::nullopt;
  const auto algorithm = protocol::jose::parse_algorithm(config.key_algorithm);
  auto key = crypto::PrivateKey::from_pem(algorithm.value(), config.private_key);
  if (!key) return refuse(name, "private_key", key.error().message);
  if (config.key_id.empty()) return protocol::jose::SigningKey{std::move(*key)};
  return protocol::jose::SigningKey{config.key_id, std::move(*key)};
}

std::optional<protocol::oauth2::ClientAuthentication> to_authentication(std::string_view word) {
  using enum protocol::oauth2::ClientAuthentication;
  if (word == "basic") return basic;
  if (word == "post") return post;
  if (word == "private_key_jwt") return private_key_jwt;
  return std::nullopt;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

Result<features::Provider> to_provider(const Config& config, const std::string& name,
                                       const ProviderConfig& from) {
  auto authorities = read_authorities(name, from.ca_file);
  if (!authorities) return fail_from(authorities);
  auto key = read_key(name, from);
  if (!key) return fail_from(key);
  const auto* const preset = features::find_preset(type_of(name, from));
  features::Provider provider{
      .name = name,
      .display_name = !from.display_name.empty() ? from.display_name
                      : preset->type == "oidc"   ? name
                                                 : std::string{preset->display_name},
      .preset = preset,
      .issuer = issuer_of(name, from),
      .client_id = from.client_id,
      .client_secret = from.client_secret.copy(),
      .authentication = to_authentication(from.client_authentication),
      .key = std::move(*key),
      .team_id = from.team_id,
      .tenant = tenant_of(from),
      .scopes = from.scopes.empty() ? std::string{preset->scopes} : from.scopes,
      .trusted_domains = {},
      .sign_up = from.sign_up,
      .trust = std::make_shared<const outbound::Trust>(
          outbound::Trust{.network = from.private_network ? outbound::Network::private_allowed
                                                          : outbound::Network::public_only,
                          .clear_text_loopback = is_of_this_machine(config.server.public_url),
                          .ca_pem = std::move(*authorities)}),
      .redirect_uri = fmt::format("{}/auth/{}/callback", config.server.public_url, name)};
  for (const auto& domain : from.trusted_domains) provider.trusted_domains.push_back(lower(domain));
  return provider;
}

}  // namespace

Result<features::Providers> load_providers(const Config& config) {
  std::vector<features::Provider> all;
  for (const auto& [name, from] : config.providers) {
    auto provider = to_provider(config, name, from);
    if (!provider) return fail_from(provider);
    all.push_back(std::move(*provider));
  }
  return features::Providers{std::move(all)};
}

}  // namespace keyward::app
