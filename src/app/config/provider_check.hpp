// What is wrong with [providers.NAME] and [social].
#pragma once

#include <vector>

#include "app/config/config.hpp"

namespace keyward::app {

std::vector<ConfigError> check_providers(const Config& config);

/// The type that is said, or NAME when that is one, else oidc.
std::string_view type_of(std::string_view name, const ProviderConfig& provider);
std::string tenant_of(const ProviderConfig& provider);
/// The issuer that is said, or the type's, with the tenant in its place; without a last slash of an origin's.
std::string issuer_of(std::string_view name, const ProviderConfig& provider);

}  // namespace keyward::app
