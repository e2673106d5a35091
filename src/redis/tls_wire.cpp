#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>

#include "base/free_with.hpp"
#include "redis/errors.hpp"
#include "redis/wire.hpp"
#include "text/ip_address.hpp"

namespace keyward::redis {
namespace {

using ContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;

std::string last_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "the connection ended";
}

ContextPtr make_context(const std::string& ca_file) {
  ContextPtr context{SSL_CTX_new(TLS_client_method())};
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) throw std::bad_alloc();
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const int trusts = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr);
  if (trusts != 1) throw Refusal(fmt::format("cannot be trusted: redis.ca_file: {}", last_error()));
  return context;
}

/// The certificate must be for what the URL names (RFC 9525): a name, or an address.
bool expect_host(SSL* ssl, const std::string& host) {
  if (text::IpAddress::parse(host))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

class TlsWire final : public Wire {
 public:
  TlsWire(Socket socket, const std::string& host, const std::string& ca_file, Deadline deadline)
      : socket_(std::move(socket)), context_(make_context(ca_file)), ssl_(SSL_new(context_.get())) {
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.file()) != 1 || !expect_host(ssl_.get(), host))
      throw std::bad_alloc();
    const auto shake = [this] { return SSL_connect(ssl_.get()); };
    if (step(shake, deadline) != 0) return;
    throw Failure("does not answer to TLS in time");
  }

  void send(std::string_view bytes, Deadline deadline) override {
    while (!bytes.empty()) {
      const auto size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
      const int sent = step([&] { return SSL_write(ssl_.get(), bytes.data(), size); }, deadline);
      if (sent == 0) throw Failure("takes nothing in time");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  std::size_t receive(std::span<char> room, Deadline deadline) override {
    const auto size = static_cast<int>(std::min<std::size_t>(room.size(), INT_MAX));
    return static_cast<std::size_t>(step([&] { return SSL_read(ssl_.get(), room.data(), size); }, deadline));
  }

  void interrupt() noexcept override { socket_.interrupt(); }

 private:
  /// Until it is done; 0 when it was not until the deadline.
  template <class Function>
  int step(Function function, Deadline deadline) {
    while (true) {
      ERR_clear_error();
      const int done = function();
      if (done > 0) return done;
      const int why = SSL_get_error(ssl_.get(), done);
      if (why == SSL_ERROR_WANT_READ) {
        if (!socket_.wait_readable(deadline)) return 0;
      } else if (why == SSL_ERROR_WANT_WRITE) {
        if (!socket_.wait_writable(deadline)) return 0;
      } else {
        fail();
      }
    }
  }

  [[noreturn]] void fail() {
    const auto verdict = SSL_get_verify_result(ssl_.get());
    if (verdict != X509_V_OK) {
      ERR_clear_error();
      throw Refusal(
          fmt::format("shows a certificate that does not count: {}", X509_verify_cert_error_string(verdict)));
    }
    throw Failure(fmt::format("the TLS connection broke: {}", last_error()));
  }

  Socket socket_;
  ContextPtr context_;
  SslPtr ssl_;  // before its socket closes
};

}  // namespace

std::unique_ptr<Wire> open_tls_wire(Socket socket, const std::string& host, const std::string& ca_file,
                                    Deadline deadline) {
  return std::make_unique<TlsWire>(std::move(socket), host, ca_file, deadline);
}

}  // namespace keyward::redis
