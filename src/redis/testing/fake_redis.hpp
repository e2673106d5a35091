// A server that answers what a test says: to each that it reads, the bytes that `answer` gives for it.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "base/testing/temporary_folder.hpp"

namespace keyward::redis::testing {

class FakeRedis {
 public:
  using Answer = std::function<std::string(std::string_view read)>;
  explicit FakeRedis(Answer answer) : answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(socket(), address.sun_path);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0)
      throw std::runtime_error("bind");
    thread_ = std::thread{[this] { serve(); }};
  }
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;
  /// After its clients: it serves one connection at a time.
  ~FakeRedis() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  [[nodiscard]] std::string url(std::string_view who = "") const {
    return "unix://" + std::string{who} + socket();
  }

  /// What a server that is well answers to the greeting, and to one script.
  static std::string greet(std::string_view read) {
    if (read.contains("SELECT")) return "+OK\r\n+OK\r\n$19\r\nredis_version:7.0.0\r\n";
    if (read.contains("LOAD")) return "$4\r\n0123\r\n";
    return "+PONG\r\n";
  }

 private:
  [[nodiscard]] std::string socket() const { return folder_.path() / "redis.sock"; }

  void serve() {
    while (true) {
      const int peer = ::accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      std::array<char, 65536> room{};
      for (auto size = ::recv(peer, room.data(), room.size(), 0); size > 0;
           size = ::recv(peer, room.data(), room.size(), 0)) {
        const auto answer = answer_({room.data(), static_cast<std::size_t>(size)});
        if (::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
      }
      ::close(peer);
    }
  }

  Answer answer_;
  TemporaryFolder folder_;
  int listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
  std::thread thread_;
};

}  // namespace keyward::redis::testing
