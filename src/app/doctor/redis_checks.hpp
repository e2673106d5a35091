// Whether Redis answers, takes us, and is new enough.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"

namespace keyward::app {

/// Nothing is found where no Redis is configured.
std::vector<Finding> check_redis_server(const Config& config);

}  // namespace keyward::app
