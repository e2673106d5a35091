#include "web/service_manager.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>

#include "web/engine/server_test_kit.hpp"

namespace keyward::web {
namespace {

constexpr std::int64_t own_pid = 4711;

/// A datagram socket that listens like systemd's.
class FakeManager {
 public:
  explicit FakeManager(std::string_view name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, address.sun_path);
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    bound = ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  }
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;
  ~FakeManager() { ::close(socket_); }
  [[nodiscard]] std::string heard() const {
    std::array<char, 256> text{};
    const auto size = ::recv(socket_, text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string{text.data(), static_cast<std::size_t>(size)};
  }
  bool bound = false;

 private:
  int socket_;
};

TEST(ServiceManager, nobody_is_told_and_nothing_is_passed_without_its_variables) {
  const auto manager = ServiceManager::from_environment({{"PATH", "/usr/bin"}}, own_pid);
  ASSERT_TRUE(manager);
  manager->tell_ready();
  EXPECT_TRUE(manager->sockets().empty());
  EXPECT_FALSE(manager->watchdog());
}

TEST(ServiceManager, is_told_over_a_path_and_over_an_abstract_name) {
  const std::string abstract = "@keyward-test-" + std::to_string(::getpid());
  const auto path = std::filesystem::temp_directory_path() / abstract.substr(1);
  for (const std::string& name : {abstract, path.string()}) {
    const FakeManager listening{name};
    ASSERT_TRUE(listening.bound) << name;
    const auto manager = ServiceManager::from_environment({{"NOTIFY_SOCKET", name}}, own_pid);
    manager->tell_ready();
    EXPECT_EQ(listening.heard(), "READY=1");
    manager->tell_alive();
    EXPECT_EQ(listening.heard(), "WATCHDOG=1");
    manager->tell_stopping();
    EXPECT_EQ(listening.heard(), "STOPPING=1");
  }
  std::filesystem::remove(path);
  // One that has gone, and what is no address, cost a line in the log.
  for (const std::string& name : {path.string(), std::string{"relative"}, std::string(200, '/')})
    ServiceManager::from_environment({{"NOTIFY_SOCKET", name}}, own_pid)->tell_ready();
}

TEST(ServiceManager, watches_only_whom_it_names) {
  using Pair = std::pair<std::string, std::string>;
  const auto watchdog = [](const std::vector<Pair>& environment) {
    return ServiceManager::from_environment(environment, own_pid)->watchdog();
  };
  const Pair time{"WATCHDOG_USEC", "20000000"};
  EXPECT_EQ(watchdog({time}), std::chrono::seconds{20});
  EXPECT_EQ(watchdog({time, {"WATCHDOG_PID", "4711"}}), std::chrono::seconds{20});
  EXPECT_FALSE(watchdog({time, {"WATCHDOG_PID", "4712"}}));
  EXPECT_FALSE(watchdog({{"WATCHDOG_USEC", "0"}}));
  EXPECT_FALSE(watchdog({{"WATCHDOG_USEC", "soon"}}));
}

TEST(ServiceManager, sockets_for_another_process_are_not_ours) {
  const auto manager =
      ServiceManager::from_environment({{"LISTEN_FDS", "2"}, {"LISTEN_PID", "4712"}}, own_pid);
  ASSERT_TRUE(manager);
  EXPECT_TRUE(manager->sockets().empty());
  EXPECT_FALSE(ServiceManager::from_environment({{"LISTEN_FDS", "many"}, {"LISTEN_PID", "4711"}}, own_pid));
  EXPECT_FALSE(ServiceManager::from_environment({{"LISTEN_FDS", "99"}, {"LISTEN_PID", "4711"}}, own_pid));
}

int listening_socket(int family) {
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};  // zero: any address and a free port, whichever the family
  address.sin6_family = static_cast<sa_family_t>(family);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address),
             family == AF_INET6 ? sizeof address : sizeof(sockaddr_in)) != 0)
    return -1;
  return ::listen(socket, 8) == 0 ? socket : -1;
}

/// In a process of its own, because the descriptors' numbers are fixed. 0: as it should be.
int in_child(const std::function<int()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check());
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ServiceManager, passed_sockets_have_names_and_addresses_and_close_on_exec) {
  EXPECT_EQ(in_child([] {
              const int one = listening_socket(AF_INET);
              const int other = listening_socket(AF_INET6);
              if (::dup2(one, 103) < 0 || ::dup2(other, 104) < 0) return 1;
              if (::dup2(103, 3) < 0 || ::dup2(104, 4) < 0) return 2;
              const auto manager = ServiceManager::from_environment(
                  {{"LISTEN_FDS", "2"}, {"LISTEN_PID", "4711"}, {"LISTEN_FDNAMES", "http:redirect"}},
                  own_pid);
              if (!manager || manager->sockets().size() != 2) return 3;
              const auto& first = manager->sockets()[0];
              const auto& second = manager->sockets()[1];
              if (first.descriptor != 3 || first.name != "http" || first.host != "0.0.0.0") return 4;
              if (second.descriptor != 4 || second.name != "redirect" || second.host != "::") return 5;
              if (first.port == 0 || second.port == 0) return 6;
              return (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 7;
            }),
            0);
}

TEST(ServiceManager, what_is_no_listening_tcp_socket_is_refused) {
  const auto refuses = [](int descriptor) {
    return in_child([descriptor] {
      if (descriptor < 0) {
        ::close(3);
      } else if (::dup2(descriptor, 3) < 0) {
        return 1;
      }
      const auto manager =
          ServiceManager::from_environment({{"LISTEN_FDS", "1"}, {"LISTEN_PID", "4711"}}, own_pid);
      return manager ? 2 : 0;
    });
  };
  const int not_listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(refuses(not_listening), 0);
  EXPECT_EQ(refuses(datagrams), 0);
  EXPECT_EQ(refuses(-1), 0);
  ::close(not_listening);
  ::close(datagrams);
}

class PassedSocketTest : public engine::ServerTest {};

TEST_F(PassedSocketTest, all_loops_serve_it_and_it_outlives_them) {
  const int socket = listening_socket(AF_INET6);
  ASSERT_GE(socket, 0);
  bool told = false;
  start({.passed_socket = socket, .loops = 3, .at_drain = [&] { told = true; }});
  for (int i = 0; i < 50; ++i) {
    const auto path = "/" + std::to_string(i);
    EXPECT_EQ(ask(get(path)).body, path + "|");
  }
  EXPECT_FALSE(told);
  const engine::RawClient idle = connect();
  EXPECT_TRUE(stop());
  EXPECT_TRUE(told);
  // Who comes now waits for the next server, which is given the same socket.
  engine::RawClient early{server->port()};
  EXPECT_TRUE(early.connected());
  early.send(get("/early"));
  start({.passed_socket = socket, .loops = 2});
  EXPECT_EQ(early.read().body, "/early|");
  ::close(socket);
}

}  // namespace
}  // namespace keyward::web
