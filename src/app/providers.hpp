// The providers of the configuration, as the features need them.
#pragma once

#include "app/config/config.hpp"
#include "features/social_login/provider.hpp"

namespace keyward::app {

/// Reads their files. The error is one sentence for the operator, which names the setting.
Result<features::Providers> load_providers(const Config& config);

}  // namespace keyward::app
