// For the engine's tests: a toy Handler, a server that runs in a thread, and a client that speaks raw bytes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "runtime/completion.hpp"
#include "web/engine/server.hpp"

namespace keyward::web::engine {

/// Answers `path|body`, /address with the client's address; /wait answers when release() was called. /large
/// leaves a header for its answer, and /left says how many it found.
class ToyHandler final : public Handler {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  Task<Response> handle(Request& request) override {
    Response response;
    response.content_type = "text/plain";
    if (request.path == "/throw") throw std::runtime_error{"broken on purpose"};
    if (request.path == "/inject") response.headers.emplace_back("X-Bad", "a\r\nSet-Cookie: b");
    if (request.path == "/address") response.body = request.client.address;
    if (request.path == "/left") response.body = std::to_string(request.answer_headers.size());
    if (request.path == "/large") {
      request.answer_headers.emplace_back("Set-Cookie", "of=another");
      response.body = std::string(8U << 20U, 'l');
    }
    if (request.path == "/wait") {
      co_await await_completion<int>([this](Completion<int> done) {
        const Lock lock{mutex_};
        waiting_.push_back(std::move(done));
        reached_.count_down();
      });
    }
    if (response.body.empty()) {
      response.body = std::string{request.path} + "|" + std::string{request.body};
    }
    co_return response;
  }
  Response refuse(unsigned status, std::string_view sentence, const std::string& request_id) override {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = R"({"detail":")" + std::string{sentence} + R"(","request_id":")" + request_id + R"("})";
    return response;
  }

  void await_reached() { reached_.wait(); }
  void release() {
    const Lock lock{mutex_};
    for (auto& done : waiting_) done(Outcome<int>{1});
    waiting_.clear();
  }

 private:
  Mutex mutex_;
  std::vector<Completion<int>> waiting_ KEYWARD_GUARDED_BY(mutex_);
  std::latch reached_{1};
};

struct Answer {
  unsigned status = 0;
  std::string head;
  std::string body;
};

class RawClient {
 public:
  /// `from`: the last byte of an address of this machine, 127.0.0.…
  explicit RawClient(std::uint16_t port, std::uint8_t from = 1)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from);
    if (from != 1 && ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot be at that address");
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { ::close(socket_); }

  [[nodiscard]] bool connected() const { return connected_; }
  /// False when the server has closed.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }
  void reset() const {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  /// The next answer; status 0 at the end of the connection. A silent server fails the test after ten
  /// seconds.
  Answer read(bool head_only = false) {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    Answer answer;
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
    std::size_t length = 0;
    if (const auto at = answer.head.find("Content-Length: "); at != std::string::npos && !head_only) {
      std::from_chars(answer.head.data() + at + 16, answer.head.data() + answer.head.size(), length);
    }
    while (buffer_.size() < length) {
      if (!fill()) return {};
    }
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
  }
  /// Reads so many bytes at most, whatever they are; 0 at the end of the connection.
  [[nodiscard]] std::size_t take(std::size_t most) const {
    std::string bytes(most, 0);
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  /// Whether the server ends the connection, and has nothing more to say before.
  bool is_closed() { return buffer_.empty() && !fill(); }

 private:
  bool fill() {
    pollfd wait{socket_, POLLIN, 0};
    if (::poll(&wait, 1, 10'000) != 1) {
      ADD_FAILURE() << "the server is silent";
      return false;
    }
    char bytes[65536];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) buffer_.append(bytes, static_cast<std::size_t>(count));
    return count > 0;
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

class ServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    if (options.loops == 0) options.loops = 2;
    auto opened = Server::open(options, handler);
    ASSERT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
    thread = std::jthread{[this] { drained = server->run(); }};
  }
  bool stop() {
    server->stop();
    thread.join();
    return drained;
  }
  void TearDown() override {
    if (thread.joinable()) {
      handler.release();
      server->stop();
      thread.join();
    }
  }
  RawClient connect() const { return RawClient{server->port()}; }
  /// Sends the bytes on a fresh connection and reads one answer.
  Answer ask(std::string_view bytes) const {
    RawClient client = connect();
    client.send(bytes);
    return client.read();
  }
  /// Sends bytes that must be refused, with a second request behind them that must never be looked at.
  void expect_refused(const std::string& bytes, unsigned status) const {
    RawClient client = connect();
    client.send(bytes + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 200);
    EXPECT_NE(answer.head.find("Content-Type: application/problem+json\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("X-Content-Type-Options: nosniff\r\n"), std::string::npos);
    EXPECT_TRUE(client.is_closed()) << bytes.substr(0, 200);
  }

  static std::string get(std::string_view path) {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  static std::string post(std::string_view body) {
    return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           std::string{body};
  }

  ToyHandler handler;
  std::unique_ptr<Server> server;
  bool drained = false;
  std::jthread thread;
};

}  // namespace keyward::web::engine
