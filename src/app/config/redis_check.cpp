#include "app/config/redis_check.hpp"

#include "redis/address.hpp"

namespace keyward::app {

std::vector<ConfigError> check_redis(const Config& config) {
  std::vector<ConfigError> errors;
  const auto refuse = [&](std::string_view key, std::string message) {
    const auto origin = config.origins.find(key);
    errors.push_back(
        {std::string{key}, origin == config.origins.end() ? "" : origin->second, std::move(message)});
  };
  if (config.redis.url.empty()) {
    if (config.limits.store == "redis") refuse("limits.store", "is redis, which needs redis.url");
    return errors;
  }
  const auto address = redis::parse_url(config.redis.url.text());
  if (!address) {
    refuse("redis.url", address.error().message);
  } else if (!config.redis.ca_file.empty() && !address->tls) {
    refuse("redis.ca_file", "is for a rediss:// URL");
  }
  return errors;
}

bool is_redis_in_clear(const Config& config) {
  if (config.redis.url.empty()) return false;
  const auto address = redis::parse_url(config.redis.url.text());
  return address && redis::is_in_clear(*address);
}

}  // namespace keyward::app
