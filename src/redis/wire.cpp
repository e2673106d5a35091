#include "redis/wire.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/free_with.hpp"
#include "redis/errors.hpp"

namespace keyward::redis {
namespace {

[[noreturn]] void fail_with(std::string_view what, int error) {
  throw Failure(fmt::format("{}: {}", what, std::generic_category().message(error)));
}

Socket open_socket(int family) {
  const int file = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) fail_with("no socket", errno);
  return Socket{file};
}

/// Nothing when it is connected, else why not.
int connect_to(const Socket& socket, const sockaddr* address, socklen_t size, Deadline deadline) {
  if (::connect(socket.file(), address, size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!socket.wait_writable(deadline)) return ETIMEDOUT;
  int error = 0;
  socklen_t error_size = sizeof error;
  if (::getsockopt(socket.file(), SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) return errno;
  return error;
}

Socket connect_path(const std::string& path, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Failure("the path of the socket is too long");
  std::ranges::copy(path, address.sun_path);
  auto socket = open_socket(AF_UNIX);
  // sockaddr_un begins as every sockaddr does: that is what the call is made for.
  const int error = connect_to(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
  if (error != 0) fail_with("cannot connect", error);
  return socket;
}

Socket connect_host(const Address& to, Deadline deadline) {
  const addrinfo wanted{.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int unknown = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &wanted, &found);
  if (unknown != 0) throw Failure(fmt::format("cannot find the host: {}", ::gai_strerror(unknown)));
  const std::unique_ptr<addrinfo, FreeWith<::freeaddrinfo>> list{found};
  int left = 0;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next) ++left;
  int error = EADDRNOTAVAIL;
  for (const auto* at = list.get(); at != nullptr; at = at->ai_next, --left) {
    auto socket = open_socket(at->ai_family);
    // A share of the time for each: one that is dead leaves the others theirs.
    const auto now = std::chrono::steady_clock::now();
    error = connect_to(socket, at->ai_addr, at->ai_addrlen, now + (deadline - now) / left);
    if (error != 0) continue;
    const int on = 1;
    (void)::setsockopt(socket.file(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
  }
  fail_with("cannot connect", error);
}

class PlainWire final : public Wire {
 public:
  explicit PlainWire(Socket socket) : socket_(std::move(socket)) {}

  void send(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_.file(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        if (!socket_.wait_writable(deadline)) throw Failure("takes nothing in time");
      } else if (errno != EINTR) {
        fail_with("the connection broke", errno);
      }
    }
  }

  std::size_t receive(std::span<char> room, Deadline deadline) override {
    while (true) {
      const auto received = ::recv(socket_.file(), room.data(), room.size(), 0);
      if (received > 0) return static_cast<std::size_t>(received);
      if (received == 0) throw Failure("closed the connection");
      if (errno == EAGAIN) {
        if (!socket_.wait_readable(deadline)) return 0;
      } else if (errno != EINTR) {
        fail_with("the connection broke", errno);
      }
    }
  }

  void interrupt() noexcept override { socket_.interrupt(); }

 private:
  Socket socket_;
};

}  // namespace

Socket::~Socket() {
  if (file_ >= 0) ::close(file_);
}

void Socket::interrupt() const noexcept { ::shutdown(file_, SHUT_RDWR); }
bool Socket::wait_readable(Deadline deadline) const { return wait(POLLIN, deadline); }
bool Socket::wait_writable(Deadline deadline) const { return wait(POLLOUT, deadline); }

bool Socket::wait(short events, Deadline deadline) const {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd watched{.fd = file_, .events = events, .revents = 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) fail_with("poll", errno);
  }
}

Socket connect_socket(const Address& address, Deadline deadline) {
  return address.socket_path.empty() ? connect_host(address, deadline)
                                     : connect_path(address.socket_path, deadline);
}

std::unique_ptr<Wire> open_plain_wire(Socket socket) {
  return std::make_unique<PlainWire>(std::move(socket));
}

}  // namespace keyward::redis
