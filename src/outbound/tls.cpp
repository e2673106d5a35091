#include "outbound/tls.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "text/ip_address.hpp"

namespace keyward::outbound {

namespace {

constexpr const char* suites_of_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::array<unsigned char, 9> own_protocol{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::size_t kept_max = limits::providers_max + 1;  // each with its own, and the system's

std::string last_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "no reason given";
}

bool set_up(SSL_CTX* context) {
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, suites_of_1_2) == 1 &&
         // This one answers 0 for yes.
         SSL_CTX_set_alpn_protos(context, own_protocol.data(), own_protocol.size()) == 0;
}

/// How many authorities the text names: all of them, or none.
int add_authorities(SSL_CTX* context, const std::string& pem) {
  const std::unique_ptr<BIO, FreeWith<BIO_free_all>> text{
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  if (text == nullptr) return 0;
  int added = 0;
  while (const std::unique_ptr<X509, FreeWith<X509_free>> one{
      PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1) return 0;
    ++added;
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (ended) ERR_clear_error();
  return ended ? added : 0;
}

Fetched<SslContext> make_context(const std::string& ca_pem) {
  ERR_clear_error();
  SslContext context{SSL_CTX_new(TLS_client_method())};
  if (context == nullptr || !set_up(context.get()))
    return Failure::of(Refusal::tls_failed, fmt::format("OpenSSL refuses the settings: {}", last_error()));
  if (ca_pem.size() > limits::outbound_ca_max_bytes)
    return Failure::of(Refusal::tls_failed, "the authorities' certificates are too large");
  if (ca_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context.get()) != 1)
      return Failure::of(Refusal::tls_failed, fmt::format("the system's authorities: {}", last_error()));
  } else if (add_authorities(context.get(), ca_pem) == 0) {
    return Failure::of(Refusal::tls_failed,
                       fmt::format("the authorities' certificates cannot be read: {}", last_error()));
  }
  return context;
}

bool expect_host(SSL* session, const std::string& host) {
  if (text::IpAddress::parse(host))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set1_host(session, host.c_str()) == 1 && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
}

}  // namespace

Fetched<Ssl> TlsContexts::make_session(const std::string& ca_pem, const std::string& host) {
  auto found = std::ranges::find(kept_, ca_pem, &Kept::ca_pem);
  if (found == kept_.end()) {
    auto context = make_context(ca_pem);
    if (!context) return std::unexpected(std::move(context).error());
    if (kept_.size() == kept_max) kept_.erase(kept_.begin());
    found = kept_.insert(kept_.end(), Kept{ca_pem, std::move(*context)});
  }
  ERR_clear_error();
  Ssl session{SSL_new(found->context.get())};
  if (session == nullptr || !expect_host(session.get(), host))
    return Failure::of(Refusal::tls_failed, fmt::format("OpenSSL refuses the host: {}", last_error()));
  return session;
}

std::string reason_of(ssl_st* session, std::string otherwise) {
  const auto verdict = SSL_get_verify_result(session);
  return verdict == X509_V_OK ? std::move(otherwise) : X509_verify_cert_error_string(verdict);
}

}  // namespace keyward::outbound
