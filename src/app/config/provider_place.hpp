// Where a setting of a provider stands: [providers.NAME] in a file, KEYWARD_PROVIDERS_NAME_… in the
// environment.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "app/config/settings.hpp"

namespace keyward::app {

inline constexpr std::string_view providers_prefix = "providers.";
inline constexpr std::string_view providers_variable_prefix = "KEYWARD_PROVIDERS_";

struct ProviderPlace {
  std::string name;
  const Setting* setting = nullptr;
  bool is_file = false;  // the variable names a file
  [[nodiscard]] std::string key() const;
};

/// `providers.my-idp.client_id`. The error is the end of a sentence about it.
std::expected<ProviderPlace, std::string> find_provider_place(std::string_view key);
/// `KEYWARD_PROVIDERS_MY_IDP_CLIENT_ID`, or `…_CLIENT_SECRET_FILE`: '-' of the name is '_' there.
std::expected<ProviderPlace, std::string> find_provider_variable(std::string_view variable);

/// Small letters, digits and dashes, a letter first.
bool is_provider_name(std::string_view name);

}  // namespace keyward::app
