// What can be told from the settings alone.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"

namespace keyward::app {

/// A proxy that should be listed, or a listener that can be reached past it.
std::vector<Finding> check_proxy_trust(const Config& config);
/// Settings that are weaker than the defaults.
std::vector<Finding> check_weak_settings(const Config& config);

}  // namespace keyward::app
