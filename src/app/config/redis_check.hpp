// What is wrong with the settings of Redis, and of the limits that are counted in it.
#pragma once

#include <vector>

#include "app/config/config.hpp"

namespace keyward::app {

std::vector<ConfigError> check_redis(const Config& config);

/// Its password crosses the network without TLS. False for a URL that cannot be read.
bool is_redis_in_clear(const Config& config);

}  // namespace keyward::app
