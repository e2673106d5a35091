#include "web/service_manager.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <system_error>

#include "base/log.hpp"

namespace keyward::web {
namespace {

constexpr int first_descriptor = 3;
constexpr int sockets_max = 16;
constexpr std::array<std::string_view, 6> variables{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                                    "LISTEN_PID",    "LISTEN_FDS",    "LISTEN_FDNAMES"};

std::string_view value_of(const ServiceManager::Environment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment, name, &std::pair<std::string, std::string>::first);
  return found == environment.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool fill_in_address(PassedSocket& socket) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = option_of(socket.descriptor, SO_DOMAIN);
  if (family == AF_INET) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket.descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    socket.port = ntohs(address.sin_port);
    socket.host = ::inet_ntop(family, &address.sin_addr, text.data(), text.size());
    return true;
  }
  if (family != AF_INET6) return false;
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  socket.port = ntohs(address.sin6_port);
  socket.host = ::inet_ntop(family, &address.sin6_addr, text.data(), text.size());
  return true;
}

Result<PassedSocket> check(int descriptor, std::string name) {
  PassedSocket socket{.descriptor = descriptor, .name = std::move(name), .host = {}};
  const bool listens =
      option_of(descriptor, SO_TYPE) == SOCK_STREAM && option_of(descriptor, SO_ACCEPTCONN) == 1;
  if (!listens || !fill_in_address(socket) || ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    return fail(
        ErrorCode::internal,
        fmt::format("The service manager passed descriptor {} ({}), which is no TCP socket that listens: "
                    "its socket unit needs ListenStream= with a port.",
                    descriptor, socket.name));
  }
  return socket;
}

/// `a:b:c`, one at a time.
std::string take_name(std::string_view& names) {
  const auto colon = names.find(':');
  std::string name{names.substr(0, colon)};
  names = colon == std::string_view::npos ? std::string_view{} : names.substr(colon + 1);
  return name;
}

}  // namespace

ServiceManager::Environment ServiceManager::own_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = text.substr(0, equals);
    if (std::ranges::find(variables, name) != variables.end())
      environment.emplace_back(name, text.substr(equals + 1));
  }
  return environment;
}

Result<ServiceManager> ServiceManager::from_environment(const Environment& environment,
                                                        std::int64_t own_pid) {
  ServiceManager manager;
  manager.notify_socket_ = value_of(environment, "NOTIFY_SOCKET");

  const auto watchdog = to_number(value_of(environment, "WATCHDOG_USEC"));
  const auto watched = value_of(environment, "WATCHDOG_PID");
  if (watchdog && *watchdog > 0 && (watched.empty() || to_number(watched) == own_pid))
    manager.watchdog_ = std::chrono::microseconds{*watchdog};

  if (to_number(value_of(environment, "LISTEN_PID")) != own_pid) return manager;
  const auto count = to_number(value_of(environment, "LISTEN_FDS"));
  if (!count || *count < 0 || *count > sockets_max) {
    return fail(
        ErrorCode::internal,
        fmt::format("LISTEN_FDS must be a number from 0 to {}: the sockets that were passed.", sockets_max));
  }
  auto names = value_of(environment, "LISTEN_FDNAMES");
  for (int i = 0; i < static_cast<int>(*count); ++i) {
    auto socket = check(first_descriptor + i, take_name(names));
    if (!socket) return fail_from(socket);
    manager.sockets_.push_back(std::move(*socket));
  }
  return manager;
}

void ServiceManager::tell(std::string_view state) const {
  if (notify_socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A path, or with @ in front a name that lies in no folder; the latter has no zero at its end.
  const bool known = (notify_socket_.front() == '/' || notify_socket_.front() == '@') &&
                     notify_socket_.size() < sizeof address.sun_path;
  int error = known ? 0 : EINVAL;
  if (const int socket = known ? ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1; socket >= 0) {
    std::ranges::copy(notify_socket_, address.sun_path);
    if (notify_socket_.front() == '@') address.sun_path[0] = '\0';
    const auto size = offsetof(sockaddr_un, sun_path) + notify_socket_.size();
    const auto sent = ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
    if (sent < 0) error = errno;
    ::close(socket);
  } else if (known) {
    error = errno;
  }
  if (error == 0) return;
  log(LogLevel::warning, "service_manager_not_told",
      {{"state", state}, {"reason", std::generic_category().message(error)}});
}

}  // namespace keyward::web
