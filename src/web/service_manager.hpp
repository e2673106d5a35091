// ServiceManager: what the process that started us (systemd, or anything that does as it does) is told, and
// what it hands over.
//
// sd_notify(3): a datagram to NOTIFY_SOCKET says that we are ready, that we stop, and, where WATCHDOG_USEC
// asks for it, that we are alive. sd_listen_fds(3): with LISTEN_PID our own, LISTEN_FDS sockets that listen
// already are open from descriptor 3 on, with their names in LISTEN_FDNAMES. Ports below 1024 are then bound
// by somebody who may, and a restart refuses no connection: it waits in the socket meanwhile.
//
// Threat: a variable that is inherited and means somebody else (LISTEN_PID and WATCHDOG_PID are compared with
// our own number, and what was passed must be a TCP socket that listens).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace keyward::web {

/// A listening TCP socket that is open until the process ends.
struct PassedSocket {
  int descriptor = -1;
  std::string name;  // FileDescriptorName= of the socket unit
  std::string host;  // where it listens
  std::uint16_t port = 0;
};

class ServiceManager {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// Nobody: nothing is told and nothing was passed.
  ServiceManager() = default;
  /// The process's own, as far as it is about this.
  static Environment own_environment();
  /// `own_pid` is ours. Error: a passed socket that cannot be served; one sentence for the operator.
  static Result<ServiceManager> from_environment(const Environment& environment, std::int64_t own_pid);

  void tell_ready() const { tell("READY=1"); }
  void tell_stopping() const { tell("STOPPING=1"); }
  void tell_alive() const { tell("WATCHDOG=1"); }

  [[nodiscard]] std::span<const PassedSocket> sockets() const { return sockets_; }
  /// It wants to hear tell_alive() at least so often.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

 private:
  void tell(std::string_view state) const;

  std::string notify_socket_;
  std::vector<PassedSocket> sockets_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace keyward::web
