// `config template` and `config show`: the list of settings, told to a person.
#include <fmt/format.h>

#include "app/config/config.hpp"
#include "app/config/settings.hpp"

namespace keyward::app {

std::string config_template() {
  std::string text =
      "# Keyward's configuration. Every line that is commented out shows the default.\n"
      "# A flag wins over the environment, the environment over this file, this file over the default.\n";
  const Config defaults;
  std::string_view section;
  for (const Setting& setting : settings()) {
    const auto dot = setting.key.find('.');
    if (setting.key.substr(0, dot) != section) {
      section = setting.key.substr(0, dot);
      text += fmt::format("\n[{}]\n", section);
    }
    const std::string value = shown_value(setting, defaults);
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
  return text;
}

std::vector<ShownSetting> show_config(const Config& config) {
  std::vector<ShownSetting> rows;
  for (const Setting& setting : settings()) {
    const auto origin = config.origins.find(setting.key);
    const std::string_view unset = setting.derived_from.empty() ? "default" : "derived";
    rows.push_back({std::string{setting.key}, shown_value(setting, config),
                    origin == config.origins.end() ? std::string{unset} : origin->second});
  }
  return rows;
}

}  // namespace keyward::app
