#include "app/config/provider_check.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/uuid.hpp"
#include "features/social_login/provider.hpp"
#include "outbound/target.hpp"
#include "protocol/oauth2/return_to.hpp"

namespace keyward::app {
namespace {

constexpr std::string_view tenant_place = "{tenant}";

class ProviderCheck {
 public:
  ProviderCheck(const Config& config, std::string_view name, const ProviderConfig& provider,
                std::vector<ConfigError>& errors)
      : config_(config), name_(name), of_(provider), errors_(errors), type_(type_of(name, provider)) {}

  void run() {
    if (of_.client_id.empty()) refuse("client_id", "is needed");
    check_issuer();
    check_credentials();
    check_type();
    const auto* const preset = features::find_preset(type_);
    if (preset->dialect == features::Dialect::openid && !of_.scopes.empty() &&
        !fmt::format(" {} ", of_.scopes).contains(" openid "))
      refuse("scopes", "must have openid");
    if (of_.trusted_domains.size() > limits::provider_domains_max)
      refuse("trusted_domains", fmt::format("has more than {} domains", limits::provider_domains_max));
    for (const auto& domain : of_.trusted_domains) {
      if (domain.find_first_of("@/* ") != std::string::npos || !domain.contains('.'))
        refuse("trusted_domains", fmt::format("has {}, which is no domain", to_log_json(domain)));
    }
  }

 private:
  void refuse(std::string_view key, std::string message) {
    auto full = fmt::format("providers.{}.{}", name_, key);
    const auto origin = config_.origins.find(full);
    errors_.push_back(
        {std::move(full), origin == config_.origins.end() ? "" : origin->second, std::move(message)});
  }

  void check_issuer() {
    const auto issuer = issuer_of(name_, of_);
    if (issuer.empty()) return refuse("issuer", "is needed with type oidc");
    const auto target = outbound::parse_target(issuer);
    if (!target) return refuse("issuer", target.error().message);
    if (issuer.contains('?')) return refuse("issuer", "has no query");
    if (issuer.contains("/.well-known/")) return refuse("issuer", "ends before /.well-known/");
    if (!target->tls && (!is_loopback(target->host) || !is_of_this_machine(config_.server.public_url)))
      refuse("issuer", "must be https:// (http:// is for developing, with everything on this machine)");
  }

  void check_credentials() {
    const bool signs = type_ == "apple" || of_.client_authentication == "private_key_jwt";
    if (signs && of_.private_key.empty()) refuse("private_key", "is needed to sign as the client");
    if (!signs && of_.client_secret.empty() && of_.private_key.empty())
      refuse("client_secret", "is needed, or private_key");
    if (signs && !of_.client_secret.empty())
      refuse("client_secret", "has no use where private_key signs for the client");
    if ((of_.client_authentication == "basic" || of_.client_authentication == "post") &&
        of_.client_secret.empty() && type_ != "apple")
      refuse("client_secret", "is needed with this client_authentication");
    if (type_ == "apple" && !of_.client_authentication.empty())
      refuse("client_authentication", "cannot be chosen with apple");
  }

  void check_type() {
    if (type_ == "microsoft" && of_.issuer.empty() && !Uuid::parse(of_.tenant))
      refuse("tenant", "must be a tenant's id, a UUID: common, organizations and consumers let strangers in");
    if (type_ != "microsoft" && !of_.tenant.empty()) refuse("tenant", "is for microsoft");
    if (type_ != "apple" && !of_.team_id.empty()) refuse("team_id", "is for apple");
    if (type_ == "apple" && of_.team_id.empty()) refuse("team_id", "is needed with apple");
    if (type_ == "apple" && of_.key_id.empty()) refuse("key_id", "is needed with apple");
    if (type_ == "apple" && of_.key_algorithm != "ES256") refuse("key_algorithm", "is ES256 with apple");
  }

  const Config& config_;
  std::string_view name_;
  const ProviderConfig& of_;
  std::vector<ConfigError>& errors_;
  std::string_view type_;
};

}  // namespace

std::string_view type_of(std::string_view name, const ProviderConfig& provider) {
  if (!provider.type.empty()) return provider.type;
  return features::find_preset(name) != nullptr ? name : "oidc";
}

std::string tenant_of(const ProviderConfig& provider) {
  const auto id = Uuid::parse(provider.tenant);
  return id ? id->to_string() : provider.tenant;  // in lower case, as Microsoft's tokens have it
}

std::string issuer_of(std::string_view name, const ProviderConfig& provider) {
  const auto* const preset = features::find_preset(type_of(name, provider));
  std::string issuer = provider.issuer;
  if (issuer.empty()) {
    issuer = preset->issuer;
    if (const auto at = issuer.find(tenant_place); at != std::string::npos)
      issuer.replace(at, tenant_place.size(), tenant_of(provider));
  } else if (preset->dialect != features::Dialect::openid && issuer.ends_with('/')) {
    issuer.pop_back();  // an origin that paths are put behind
  }
  return issuer;
}

std::vector<ConfigError> check_providers(const Config& config) {
  std::vector<ConfigError> errors;
  if (config.providers.size() > limits::providers_max)
    errors.push_back({"providers", "", fmt::format("are more than {}", limits::providers_max)});
  if (config.social.return_to_origins.size() > limits::return_to_origins_max)
    errors.push_back({"social.return_to_origins", "",
                      fmt::format("has more than {} origins", limits::return_to_origins_max)});
  for (const auto& entry : config.social.return_to_origins) {
    if (!protocol::oauth2::check_return_to(entry, std::span{&entry, 1}))
      errors.push_back({"social.return_to_origins", "",
                        fmt::format("has {}, which is no address to go back to", to_log_json(entry))});
  }
  for (const auto& [name, provider] : config.providers) ProviderCheck{config, name, provider, errors}.run();
  return errors;
}

}  // namespace keyward::app
