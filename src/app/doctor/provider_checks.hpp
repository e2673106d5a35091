// The providers that people log in with: their files, and what those who speak OpenID Connect publish of
// themselves.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"

namespace keyward::app {

/// Each has limits::doctor_network_timeout.
std::vector<Finding> check_social_providers(const Config& config);

}  // namespace keyward::app
