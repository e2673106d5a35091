// Files, folders and what the process may have of the machine.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"

namespace keyward::app {

/// The data folder and SQLite's file in it: permissions, owner, file system, free space.
std::vector<Finding> check_data_folder(const Config& config);
/// Where the master key is, and who can read it.
std::vector<Finding> check_master_key(const Config& config);
/// Files that …_FILE names, and the settings' own file where a secret stands in it: who else than the server
/// can read them. `environment`: as load_config() has it.
std::vector<Finding> check_secret_files(const Config& config,
                                        const std::vector<std::pair<std::string, std::string>>& environment);
/// File descriptors against server.connections_max and the places of the listeners beside it.
std::vector<Finding> check_descriptors(const Config& config);

}  // namespace keyward::app
