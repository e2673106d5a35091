// keyward config check | show | template
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "app/mail_setup.hpp"
#include "app/providers.hpp"

namespace keyward::app {

namespace json = boost::json;

int config_check(const CommonFlags& flags) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  if (const auto templates = load_templates(*config); !templates) return complain(templates.error().message);
  if (const auto providers = load_providers(*config); !providers) return complain(providers.error().message);
  for (const auto& warning : config->warnings) fmt::print(stderr, "keyward: {}\n", warning);
  fmt::print("{}\n", flags.json ? R"({"valid":true})" : "The configuration is good.");
  return exit_done;
}

int config_show(const CommonFlags& flags) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  json::array items;
  for (const auto& setting : show_config(*config)) {
    if (flags.json) {
      items.push_back(
          json::object{{"key", setting.key}, {"value", setting.value}, {"origin", setting.origin}});
    } else {
      fmt::print("{} = {}  # {}\n", setting.key, setting.value, setting.origin);
    }
  }
  if (flags.json)
    fmt::print("{}\n", json::serialize(json::object{{"items", std::move(items)}, {"next", nullptr}}));
  return exit_done;
}

int config_print_template() {
  fmt::print("{}", config_template());
  return exit_done;
}

}  // namespace keyward::app
