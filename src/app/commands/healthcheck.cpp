// keyward healthcheck: for a container's HEALTHCHECK and for scripts.
#include <fmt/format.h>

#include "app/commands/command.hpp"
#include "web/probe.hpp"

namespace keyward::app {

namespace {

/// An address to connect to, where it listens on every interface. No name: a container may know none.
ListenAddress to_reachable(ListenAddress address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address;
}

}  // namespace

int healthcheck(const CommonFlags& flags, const std::string& url) {
  std::string target = url;
  if (target.empty()) {
    const auto config = load_config_or_complain(flags);
    if (!config) return exit_failed;
    // Where it listens, not what the world calls it; by the way that the world cannot crowd, if there is one.
    const auto& management = config->server.management_listen;
    target = management ? public_url_of(to_reachable(*management), false)
                        : public_url_of(to_reachable(config->server.listen), has_tls(*config));
  }
  const auto status = web::blocking_probe(target, "/readyz");
  if (!status) return complain(target + ": " + status.error().message);
  if (*status != 200) return complain(fmt::format("{}/readyz answers {}", target, *status));
  fmt::print("{}\n", flags.json ? R"({"healthy":true})" : "healthy");
  return exit_done;
}

}  // namespace keyward::app
