// FakeServer: a server on a loopback address that does what a test tells it, byte by byte.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "outbound/testing/certificates.hpp"

namespace keyward::outbound::testing {

/// The server's end of a connection. It blocks.
class FakePeer {
 public:
  FakePeer(int socket, SSL_CTX* context) : socket_(socket) {
    if (context == nullptr) return;
    tls_.reset(SSL_new(context));
    SSL_set_fd(tls_.get(), socket_);
  }

  /// False: no handshake.
  bool greet() { return tls_ == nullptr || SSL_accept(tls_.get()) == 1; }

  /// Head and body; nothing when the other end has closed.
  std::optional<std::string> read_request() {
    std::string text;
    while (!is_whole(text)) {
      std::array<char, 4096> part{};
      const auto size = receive(part.data(), part.size());
      if (size <= 0) return std::nullopt;
      text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
  }

  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto sent = tls_ != nullptr
                            ? SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()))
                            : static_cast<int>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL));
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool answer(std::string_view body, std::string_view fields = "Content-Type: application/json\r\n",
              std::string_view status = "200 OK") {
    return write(
        fmt::format("HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, fields, body.size(), body));
  }

  /// Until the other end closes, or the time is over: then false.
  bool wait_for_end(int most_ms = -1) {
    pollfd waiting{.fd = socket_, .events = POLLRDHUP, .revents = 0};
    return ::poll(&waiting, 1, most_ms) > 0;
  }

  /// Says properly that no more will come.
  void end() {
    if (tls_ != nullptr) SSL_shutdown(tls_.get());
    ::shutdown(socket_, SHUT_WR);
  }

 private:
  long receive(char* into, std::size_t size) {
    if (tls_ != nullptr) return SSL_read(tls_.get(), into, static_cast<int>(size));
    return ::recv(socket_, into, size, 0);
  }
  static bool is_whole(std::string_view text) {
    constexpr std::string_view length = "\r\nContent-Length: ";
    const auto end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const auto found = text.find(length);
    std::size_t body = 0;
    if (found < end) {
      const auto digits = text.substr(found + length.size());
      std::from_chars(digits.begin(), digits.end(), body);
    }
    return text.size() >= end + 4 + body;
  }

  int socket_;
  std::unique_ptr<SSL, FreeWith<SSL_free>> tls_;
};

class FakeServer {
 public:
  /// Runs for each connection, on a thread of its own; the connection ends with it.
  using Script = std::function<void(FakePeer&)>;

  /// Without a certificate it speaks clear text.
  explicit FakeServer(Script script, const Certificate* certificate = nullptr,
                      const std::string& address = "127.0.0.1", std::uint16_t port = 0)
      : script_(std::move(script)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    std::ignore = std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets that the other end has closed
    if (certificate != nullptr) use(*certificate);
    sockaddr_in where{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    socklen_t size = sizeof where;
    auto* const socket_address = reinterpret_cast<sockaddr*>(&where);
    if (::bind(listening_, socket_address, size) != 0 || ::listen(listening_, SOMAXCONN) != 0 ||
        ::getsockname(listening_, socket_address, &size) != 0) {
      throw std::runtime_error("listen");
    }
    port_ = ntohs(where.sin_port);
    thread_ = std::thread{[this] { accept_connections(); }};
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() {
    ::shutdown(listening_, SHUT_RDWR);
    thread_.join();
    {
      const Lock lock{mutex_};
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (auto& one : connections_) one.join();
    ::close(listening_);
    for (const int socket : sockets_) ::close(socket);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] std::string url(std::string_view host, std::string_view path = "/") const {
    return fmt::format("{}://{}:{}{}", context_ ? "https" : "http", host, port_, path);
  }

 private:
  void use(const Certificate& certificate) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate(context_.get(), certificate.x509.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get()) != 1) {
      throw std::runtime_error("certificate");
    }
  }

  void accept_connections() {
    while (true) {
      const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      ++accepted_;
      const Lock lock{mutex_};
      sockets_.push_back(socket);
      connections_.emplace_back([this, socket] {
        FakePeer peer{socket, context_.get()};
        if (peer.greet()) script_(peer);
        ::shutdown(socket, SHUT_RDWR);
      });
    }
  }

  Script script_;
  int listening_;
  std::uint16_t port_ = 0;
  std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context_;
  std::atomic<int> accepted_ = 0;
  Mutex mutex_;
  std::vector<int> sockets_ KEYWARD_GUARDED_BY(mutex_);
  std::vector<std::thread> connections_ KEYWARD_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace keyward::outbound::testing
