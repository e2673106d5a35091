// TLS handshakes a second: tls_handshakes PORT SECONDS THREADS [resumed]
//
// Each thread connects, shakes hands (TLS 1.3, no certificate checked), asks for /livez once, reads the
// answer and closes. `resumed`: with the session of its connection before, where the server took it; what it
// did not take is not counted.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::string_view request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

thread_local SSL_SESSION* kept = nullptr;

int keep_session(SSL* /*connection*/, SSL_SESSION* session) {
  SSL_SESSION_free(kept);
  kept = session;
  return 1;  // ours now
}

int connect_to(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const linger at_once{.l_onoff = 1, .l_linger = 0};  // else the machine runs out of ports
  ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  ::close(descriptor);
  return -1;
}

/// Whether it was of the kind that is counted.
bool shake_hands(SSL_CTX* context, int port, bool resumed) {
  const int descriptor = connect_to(port);
  if (descriptor < 0) return false;
  SSL* connection = SSL_new(context);
  SSL_set_fd(connection, descriptor);
  if (resumed && kept != nullptr) SSL_set_session(connection, kept);
  bool counts = SSL_connect(connection) == 1 && (SSL_session_reused(connection) == 1) == resumed;
  if (SSL_write(connection, request.data(), static_cast<int>(request.size())) > 0) {
    char answer[4096];
    while (SSL_read(connection, answer, sizeof answer) > 0) {  // the session's ticket comes with it
    }
  } else {
    counts = false;
  }
  SSL_shutdown(connection);  // else the session counts as broken
  SSL_free(connection);
  ::close(descriptor);
  return counts;
}

int number_of(const char* text) {
  int number = 0;
  std::from_chars(text, text + std::strlen(text), number);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int port = number_of(argv[1]);
  const auto time = std::chrono::seconds{number_of(argv[2])};
  const bool resumed = argc > 4;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);

  std::atomic<long> counted{0};
  const auto begin = SteadyClock::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < number_of(argv[3]); ++i) {
    threads.emplace_back([&] {
      while (SteadyClock::now() - begin < time)
        if (shake_hands(context, port, resumed)) ++counted;
      SSL_SESSION_free(kept);
    });
  }
  for (auto& thread : threads) thread.join();
  const std::chrono::duration<double> taken = SteadyClock::now() - begin;
  std::printf("%.1f\n", static_cast<double>(counted.load()) / taken.count());
  SSL_CTX_free(context);
}
