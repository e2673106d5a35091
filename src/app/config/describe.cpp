// `config template` and `config show`: the list of settings, told to a person.
#include <fmt/format.h>

#include "app/config/config.hpp"
#include "app/config/settings.hpp"

namespace keyward::app {

namespace {

/// A section that may stand several times has no defaults that could be shown as lines of one's own.
std::string provider_template() {
  std::string text =
      "\n# Providers that people log in with (docs/social-login.md): a section each, whose name is part of "
      "the\n"
      "# redirect URI that the provider is told: PUBLIC_URL/auth/NAME/callback.\n"
      "#\n"
      "#   [providers.NAME]\n";
  ProviderConfig defaults;
  for (const Setting& setting : provider_settings()) {
    text += fmt::format("#     # {}\n", setting.help);
    text += fmt::format("#     # {}; environment {}{}\n", allowed_values(setting), variable_of(setting),
                        is_secret(setting) ? " or …_FILE" : "");
    const auto value = shown_value(setting.provider_target(defaults));
    text += setting.derived_from.empty()
                ? fmt::format("#     {} = {}\n", setting.key, value)
                : fmt::format("#     {} = \"\"  # default: {}\n", setting.key, setting.derived_from);
  }
  return text;
}

}  // namespace

std::string config_template() {
  std::string text =
      "# Keyward's configuration. Every line that is commented out shows the default.\n"
      "# A flag wins over the environment, the environment over this file, this file over the default.\n";
  Config defaults;
  std::string_view section;
  for (const Setting& setting : settings()) {
    const auto dot = setting.key.find('.');
    if (setting.key.substr(0, dot) != section) {
      section = setting.key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    const std::string value = shown_value(setting.target(defaults));
    const std::string_view variable = setting.short_variable;
    text += fmt::format("# {}\n", setting.help);
    text += fmt::format("# {}; environment {}{}\n", allowed_values(setting),
                        variable.empty() ? variable_of(setting) : variable,
                        is_secret(setting) ? " or …_FILE" : "");
    if (setting.derived_from.empty()) {
      text += fmt::format("# {} = {}\n", setting.key.substr(dot + 1), value);
    } else {
      text += fmt::format("# {} = \"\"  # default: {}\n", setting.key.substr(dot + 1), setting.derived_from);
    }
  }
  return text + provider_template();
}

std::vector<ShownSetting> show_config(const Config& config) {
  // The accessors give places to write to; this only reads.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  auto& shown = const_cast<Config&>(config);
  std::vector<ShownSetting> rows;
  const auto add = [&](std::string key, const Setting& setting, const Target& target) {
    const auto origin = config.origins.find(key);
    const std::string_view unset = setting.derived_from.empty() ? "default" : "derived";
    rows.push_back({std::move(key), shown_value(target),
                    origin == config.origins.end() ? std::string{unset} : origin->second});
  };
  for (const Setting& setting : settings()) add(std::string{setting.key}, setting, setting.target(shown));
  for (auto& [name, provider] : shown.providers) {
    for (const Setting& setting : provider_settings())
      add(fmt::format("providers.{}.{}", name, setting.key), setting, setting.provider_target(provider));
  }
  return rows;
}

}  // namespace keyward::app
