#include "web/tls/tls_probe.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <charconv>
#include <string_view>

#include "web/tls/openssl_handles.hpp"

namespace keyward::web {

namespace {

/// `HTTP/1.1 200 OK`
Result<unsigned> read_status(std::string_view answer) {
  constexpr std::string_view version = "HTTP/1.1 ";
  unsigned status = 0;
  if (answer.starts_with(version)) {
    const auto digits = answer.substr(version.size(), 3);
    std::from_chars(digits.data(), digits.data() + digits.size(), status);
  }
  if (status == 0) return fail(ErrorCode::unavailable, "what answers does not speak HTTP");
  return status;
}

}  // namespace

Result<unsigned> blocking_tls_probe(const std::string& host, const std::string& port,
                                    const std::string& path) {
  ERR_clear_error();
  const std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context{SSL_CTX_new(TLS_client_method())};
  const BioPtr connection{BIO_new_connect(
      fmt::format(fmt::runtime(host.contains(':') ? "[{}]:{}" : "{}:{}"), host, port).c_str())};
  if (context == nullptr || connection == nullptr || BIO_do_connect(connection.get()) != 1)
    return fail(ErrorCode::unavailable, "nothing answers", last_tls_error());
  int socket = -1;
  BIO_get_fd(connection.get(), &socket);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const SslPtr session{SSL_new(context.get())};
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1 || SSL_connect(session.get()) != 1)
    return fail(ErrorCode::unavailable, "nothing there speaks TLS", last_tls_error());
  const auto request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path,
                                   host.contains(':') ? "[" + host + "]" : host);
  std::size_t moved = 0;
  std::array<char, 512> answer{};
  if (SSL_write_ex(session.get(), request.data(), request.size(), &moved) != 1 ||
      SSL_read_ex(session.get(), answer.data(), answer.size(), &moved) != 1) {
    return fail(ErrorCode::unavailable, "nothing answers", last_tls_error());
  }
  return read_status({answer.data(), moved});
}

}  // namespace keyward::web
