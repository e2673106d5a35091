#include "app/service_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "runtime/pause.hpp"

namespace keyward::app {
namespace {

constexpr std::string_view redirect_name = "redirect";

/// One flag a loop: it has gone round since the manager was last told.
using Beats = std::shared_ptr<std::vector<std::atomic<bool>>>;

Task<void> beat(Beats beats, std::size_t loop, std::chrono::milliseconds interval) {
  while (true) {
    (*beats)[loop] = true;
    co_await pause(interval);
  }
}

Task<void> tell_while_all_beat(Beats beats, const web::ServiceManager* manager,
                               std::chrono::milliseconds interval) {
  while (true) {
    if (std::ranges::all_of(*beats, [](const auto& flag) { return flag.load(); })) {
      for (auto& flag : *beats) flag = false;
      manager->tell_alive();
    }
    co_await pause(interval);
  }
}

}  // namespace

Result<PassedSockets> assign_passed_sockets(const web::ServiceManager& manager, Config& config) {
  PassedSockets passed;
  for (const auto& socket : manager.sockets()) {
    const bool is_redirect = socket.name == redirect_name;
    int& place = is_redirect ? passed.redirect : passed.server;
    if (is_redirect && !config.tls.redirect_listen) {
      return fail(ErrorCode::internal,
                  "The service manager passed the socket `redirect`, but tls.redirect_listen is not set.");
    }
    if (place >= 0) {
      return fail(
          ErrorCode::internal,
          fmt::format("The service manager passed two sockets for {}: one is enough. A second one may "
                      "be that of tls.redirect_listen, with FileDescriptorName=redirect.",
                      is_redirect ? "tls.redirect_listen" : "server.listen"));
    }
    place = socket.descriptor;
    auto& listen = is_redirect ? *config.tls.redirect_listen : config.server.listen;
    listen = {.host = socket.host, .port = socket.port};
  }
  return passed;
}

void start_watchdog(web::Server& server, const web::ServiceManager& manager) {
  if (!manager.watchdog()) return;
  // Told twice in its time at least, also when a beat and the telling just miss each other.
  const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(*manager.watchdog() / 4);
  const auto beats = std::make_shared<std::vector<std::atomic<bool>>>(server.loops());
  for (unsigned i = 0; i < server.loops(); ++i)
    spawn(server.executor(i), beat(beats, i, std::max(interval, std::chrono::milliseconds{1})), "beat");
  spawn(server.executor(0),
        tell_while_all_beat(beats, &manager, std::max(interval, std::chrono::milliseconds{1})), "watchdog");
}

}  // namespace keyward::app
