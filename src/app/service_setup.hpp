// What the service manager passed and asked for, and where it belongs.
#pragma once

#include "app/config/config.hpp"
#include "web/engine/server.hpp"
#include "web/service_manager.hpp"

namespace keyward::app {

/// Descriptors; -1: none was passed.
struct PassedSockets {
  int server = -1;    // of server.listen
  int redirect = -1;  // of tls.redirect_listen: the one with the name `redirect`
};

/// Puts the sockets' addresses in the settings' place. Error: more sockets than there are settings; one
/// sentence for the operator.
Result<PassedSockets> assign_passed_sockets(const web::ServiceManager& manager, Config& config);

/// Tells the service manager that this process is alive as long as each loop goes round, if it asked for
/// that. `manager` outlives the server.
void start_watchdog(web::Server& server, const web::ServiceManager& manager);

}  // namespace keyward::app
