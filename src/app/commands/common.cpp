#include <fmt/format.h>

#include <cstdio>

#include "app/commands/command.hpp"

namespace keyward::app {

int complain(std::string_view sentence) {
  fmt::print(stderr, "keyward: {}\n", sentence);
  return exit_failed;
}

std::optional<Config> load_config_or_complain(const CommonFlags& flags) {
  auto config =
      load_config({.file = flags.config_file, .environment = process_environment(), .flags = flags.settings});
  if (config) {
    set_log_level(config->log.level);
    return std::move(*config);
  }
  for (const auto& error : config.error()) complain(to_text(error));
  return std::nullopt;
}

std::unique_ptr<Core> open_core_or_complain(const CommonFlags& flags) {
  const auto config = load_config_or_complain(flags);
  if (!config) return nullptr;
  auto core = Core::open(*config);
  if (core) return std::move(*core);
  complain(core.error().message);
  return nullptr;
}

}  // namespace keyward::app
