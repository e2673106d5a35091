#include "app/doctor/redis_checks.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "app/config/redis_check.hpp"
#include "app/doctor/within.hpp"
#include "base/limits.hpp"
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

constexpr std::size_t words_max = 240;  // of ours and theirs together

struct Greeting {
  std::string version;
  std::optional<std::string> eviction;
};

Greeting greet(const redis::Address& address, const std::string& ca_file) {
  redis::Connection connection{address, ca_file, "keyward-doctor"};
  return {connection.version(), read_eviction(connection)};
}

void judge(Findings& found, const redis::Address& address, const std::optional<std::string>& eviction) {
  if (eviction && *eviction != "noeviction") {
    found.warning(fmt::format("its maxmemory-policy is {}: counts of guesses may be thrown away",
                              cut_foreign(*eviction)),
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
    const auto greeting = within(limits::doctor_network_timeout,
                                 [own = redis::parse_url(config.redis.url.text()).value(),
                                  ca_file = config.redis.ca_file.string()] { return greet(own, ca_file); });
    if (!greeting) throw redis::Failure("does not resolve, or not in time");
    judge(found, *address, greeting->eviction);
    found.otherwise_ok(fmt::format("version {} answers at {}", cut_foreign(greeting->version), where));
  } catch (const redis::Refusal& refusal) {
    found.error(fmt::format("Redis at {} {}", where, cut_foreign(refusal.what(), words_max)),
                "correct redis.url, or what the server allows its users; 6.2 is the least version");
  } catch (const redis::Failure& failure) {
    found.error(fmt::format("Redis at {}: {}", where, cut_foreign(failure.what(), words_max)),
                "see that it runs and that redis.url names it; until then limits fall back");
  }
  return found.take();
}

}  // namespace keyward::app
