#include "app/doctor/redis_checks.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "app/config/redis_check.hpp"
#include "redis/connection.hpp"
#include "redis/errors.hpp"

namespace keyward::app {

namespace {

/// What it does when its memory is full; nothing where it does not let us ask.
std::optional<std::string> read_eviction(redis::Connection& connection) {
  const std::array<redis::Words, 1> ask{redis::Words{"CONFIG", "GET", "maxmemory-policy"}};
  const auto replies = connection.call(ask, redis::answer_deadline());
  const auto& reply = replies.at(0);
  if (reply.kind != redis::Reply::Kind::list || reply.items.size() != 2) return std::nullopt;
  return reply.items[1].text;
}

void judge(Findings& found, const redis::Address& address, const std::optional<std::string>& eviction) {
  if (eviction && *eviction != "noeviction") {
    found.warning(fmt::format("its maxmemory-policy is {}: counts of guesses may be thrown away", *eviction),
                  "CONFIG SET maxmemory-policy noeviction");
  }
  if (address.socket_path.empty() && !is_loopback(address.host) && address.password.empty())
    found.warning(redis::to_text(address) + " is on the network and asks for no password",
                  "set one there and in redis.url");
}

}  // namespace

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
    redis::Connection connection{*address, config.redis.ca_file.string(), "keyward-doctor"};
    judge(found, *address, read_eviction(connection));
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
