// Wire: a connection's bytes, with a time limit on every step.
//
// Threat: a server that is stopped or far away and holds a thread for ever. Answer: non-blocking sockets and
// poll(), always until a deadline.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "redis/address.hpp"

namespace keyward::redis {

using Deadline = std::chrono::steady_clock::time_point;

/// All functions throw Failure.
class Wire {
 public:
  Wire() = default;
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  virtual ~Wire() = default;

  /// All of it.
  virtual void send(std::string_view bytes, Deadline deadline) = 0;
  /// What there is, at least one byte; 0 when nothing came until the deadline.
  virtual std::size_t receive(std::span<char> room, Deadline deadline) = 0;
  /// From any thread: whoever waits in receive() sees the connection end.
  virtual void interrupt() noexcept = 0;
};

/// A connected non-blocking socket.
class Socket {
 public:
  explicit Socket(int file) : file_(file) {}
  Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] int file() const { return file_; }
  void interrupt() const noexcept;
  /// False: not until the deadline.
  [[nodiscard]] bool wait_readable(Deadline deadline) const;
  [[nodiscard]] bool wait_writable(Deadline deadline) const;

 private:
  [[nodiscard]] bool wait(short events, Deadline deadline) const;
  int file_;
};

/// The address's host or path. Throws Failure.
Socket connect_socket(const Address& address, Deadline deadline);

std::unique_ptr<Wire> open_plain_wire(Socket socket);

/// TLS 1.2 or newer; the certificate must be for `host` and come from `ca_file`, or from what the system
/// trusts when that is empty. Throws Refusal for a certificate that does not count.
std::unique_ptr<Wire> open_tls_wire(Socket socket, const std::string& host, const std::string& ca_file,
                                    Deadline deadline);

}  // namespace keyward::redis
