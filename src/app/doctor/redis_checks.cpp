#include "app/doctor/redis_checks.hpp"

#include <fmt/format.h>

#include "app/config/redis_check.hpp"
#include "redis/connection.hpp"
#include "redis/errors.hpp"

namespace keyward::app {

std::vector<Finding> check_redis_server(const Config& config) {
  Findings found{"redis"};
  if (config.redis.url.empty()) return found.take();
  const auto address = redis::parse_url(config.redis.url.text());
  if (!address) return found.take();  // the configuration's own error
  const auto where = redis::to_text(*address);
  if (is_redis_in_clear(config))
    found.warning(fmt::format("redis.url goes to {} in clear, its password too", where),
                  "use TLS (rediss://), or a network that is yours alone");
  try {
    const redis::Connection connection{*address, config.redis.ca_file.string(), "keyward-doctor"};
    found.otherwise_ok(fmt::format("version {} answers at {}", connection.version(), where));
  } catch (const redis::Refusal& refusal) {
    found.error(fmt::format("Redis at {} {}", where, refusal.what()),
                "correct redis.url, or what the server allows its users; 6.2 is the least version");
  } catch (const redis::Failure& failure) {
    found.error(fmt::format("Redis at {}: {}", where, failure.what()),
                "see that it runs and that redis.url names it; until then limits fall back");
  }
  return found.take();
}

}  // namespace keyward::app
