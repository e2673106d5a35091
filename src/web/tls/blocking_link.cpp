#include "web/tls/blocking_link.hpp"

#include <netdb.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <thread>

#include "text/ip_address.hpp"
#include "web/tls/openssl_handles.hpp"

namespace keyward::web {

namespace {

using std::chrono::steady_clock;

using AddressList = std::unique_ptr<addrinfo, FreeWith<::freeaddrinfo>>;

/// getaddrinfo has no time limit, so a thread of its own waits for it, and is left behind when it takes too
/// long. Nothing: it does not resolve, or not in time.
AddressList resolve(const std::string& host, const std::string& port, steady_clock::time_point deadline) {
  std::promise<AddressList> promise;
  auto found = promise.get_future();
  std::thread{[host, port, promise = std::move(promise)]() mutable {
    const addrinfo hints{.ai_socktype = SOCK_STREAM};
    addrinfo* list = nullptr;
    const bool known = getaddrinfo(host.c_str(), port.c_str(), &hints, &list) == 0;
    promise.set_value(AddressList{known ? list : nullptr});
  }}.detach();
  if (found.wait_until(deadline) != std::future_status::ready) return nullptr;
  return found.get();
}

int count(const addrinfo* list) {
  int addresses = 0;
  for (; list != nullptr; list = list->ai_next) ++addresses;
  return addresses;
}

std::unexpected<Error> unavailable(std::string_view why) {
  return fail(ErrorCode::unavailable, std::string{why});
}

/// Where the certificate in use ends.
std::optional<Time> end_of(const SSL* session) {
  const X509* const certificate = SSL_get0_peer_certificate(session);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return std::nullopt;
  return from_unix_s(timegm(&end));
}

bool expect_name(SSL* session, const std::string& name) {
  if (text::IpAddress::parse(name))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name.c_str()) == 1;
  return SSL_set1_host(session, name.c_str()) == 1 && SSL_set_tlsext_host_name(session, name.c_str()) == 1;
}

}  // namespace

struct BlockingLink::Session {
  std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>> context;
  SslPtr ssl;
};

BlockingLink::BlockingLink(steady_clock::time_point deadline) : deadline_(deadline) {}

BlockingLink::~BlockingLink() {
  session_.reset();
  if (socket_ >= 0) ::close(socket_);
}

Result<std::unique_ptr<BlockingLink>> BlockingLink::connect(const std::string& host, const std::string& port,
                                                            std::chrono::seconds time_limit) {
  std::unique_ptr<BlockingLink> link{new BlockingLink{steady_clock::now() + time_limit}};
  if (auto opened = link->open(host, port); !opened) return fail_from(opened);
  return link;
}

Result<void> BlockingLink::open(const std::string& host, const std::string& port) {
  const auto addresses = resolve(host, port, deadline_);
  if (!addresses) return unavailable("does not resolve");
  auto addresses_left = count(addresses.get());
  for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
    // One that lets packets vanish leaves the others their time.
    const auto now = steady_clock::now();
    const auto deadline = now + (deadline_ - now) / addresses_left--;
    socket_ = ::socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) continue;
    const bool begun = ::connect(socket_, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS;
    int failure = 0;
    socklen_t size = sizeof failure;
    if (begun && wait_until(deadline, POLLOUT) &&
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0) {
      return {};
    }
    ::close(socket_);
    socket_ = -1;
  }
  return unavailable("nothing answers");
}

bool BlockingLink::wait_until(steady_clock::time_point deadline, short events) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
  if (left.count() <= 0) return false;
  pollfd waited{.fd = socket_, .events = events, .revents = 0};
  return ::poll(&waited, 1, static_cast<int>(left.count())) == 1;
}

/// After OpenSSL did not do a thing: whether it may be tried again.
bool BlockingLink::wait_for_tls(int returned) const {
  switch (SSL_get_error(session_->ssl.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return wait_for(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return wait_for(POLLOUT);
    default:
      return false;
  }
}

Result<void> BlockingLink::start_tls(const std::string& name, const std::filesystem::path& ca_file) {
  ERR_clear_error();
  session_ = std::make_unique<Session>();
  session_->context.reset(SSL_CTX_new(TLS_client_method()));
  auto* const context = session_->context.get();
  if (context == nullptr) return unavailable("OpenSSL has no TLS");
  const int trusted = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                      : SSL_CTX_load_verify_file(context, ca_file.c_str());
  session_->ssl.reset(SSL_new(context));
  auto* const ssl = session_->ssl.get();
  if (trusted != 1 || ssl == nullptr || SSL_set_fd(ssl, socket_) != 1 || !expect_name(ssl, name))
    return unavailable("TLS cannot be set up: " + last_tls_error());
  int done = 0;
  while ((done = SSL_connect(ssl)) != 1) {
    if (!wait_for_tls(done)) return unavailable("TLS fails: " + last_tls_error());
    ERR_clear_error();
  }
  expires_at_ = end_of(ssl);
  if (const auto verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
    distrust_ = X509_verify_cert_error_string(verdict);
  return {};
}

Result<void> BlockingLink::send(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t moved = 0;
    if (session_) {
      if (const int done = SSL_write_ex(session_->ssl.get(), bytes.data(), bytes.size(), &moved);
          done != 1 && !wait_for_tls(done)) {
        return unavailable("the connection breaks");
      }
    } else {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && !(errno == EAGAIN && wait_for(POLLOUT))) return unavailable("the connection breaks");
      moved = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    }
    bytes.remove_prefix(moved);
  }
  return {};
}

Result<std::string> BlockingLink::receive(std::size_t max_bytes,
                                          const std::function<bool(std::string_view)>& enough) {
  std::string received;
  std::array<char, 4096> piece{};
  while (received.size() < max_bytes && !enough(received)) {
    std::size_t moved = 0;
    if (session_) {
      if (const int done = SSL_read_ex(session_->ssl.get(), piece.data(), piece.size(), &moved); done != 1) {
        if (!wait_for_tls(done)) break;
        continue;
      }
    } else {
      const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
      if (got < 0 && errno == EAGAIN && wait_for(POLLIN)) continue;
      if (got <= 0) break;
      moved = static_cast<std::size_t>(got);
    }
    received.append(piece.data(), moved);
  }
  if (received.empty()) return unavailable("nothing answers");
  return received;
}

}  // namespace keyward::web
