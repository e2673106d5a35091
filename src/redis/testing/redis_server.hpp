// A throw-away Redis for tests, by tests/services/redis.sh; it ends with its object.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/temporary_folder.hpp"
#include "redis/connection.hpp"
#include "redis/errors.hpp"

namespace keyward::redis::testing {

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) { start(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { end(); }

  void start() {
    std::vector<std::string> words{"bash", KEYWARD_TEST_VECTORS "/../services/redis.sh", "serve",
                                   folder_.path()};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&process_, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
      throw std::runtime_error("cannot start bash");
    for (int i = 0; i < 1000; ++i) {
      try {
        (void)connect_socket(parse_url(url()).value(), connect_deadline());
        return;
      } catch (const Failure&) {
        if (::waitpid(process_, nullptr, WNOHANG) != 0) break;
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
      }
    }
    throw std::runtime_error("Redis did not start; is it installed? (./dev setup)");
  }
  /// Nothing of what it held comes back.
  void end() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
    std::error_code ignored;
    std::filesystem::remove(socket(), ignored);
  }
  void pause() const { ::kill(process_, SIGSTOP); }
  void go_on() const { ::kill(process_, SIGCONT); }

  /// One command, from outside.
  [[nodiscard]] Reply ask(const Words& command) const {
    Connection connection{parse_url(url()).value(), "", "test"};
    return connection.call(std::array<Words, 1>{command}, connect_deadline()).at(0);
  }
  [[nodiscard]] std::string url() const { return "unix://" + socket().string(); }

 private:
  [[nodiscard]] std::filesystem::path socket() const { return folder_.path() / "redis.sock"; }

  std::vector<std::string> options_;
  TemporaryFolder folder_;
  pid_t process_ = 0;
};

}  // namespace keyward::redis::testing
