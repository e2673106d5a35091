#include "web/tls/tls_certificate.hpp"

#include <fmt/format.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <string_view>

#include "base/limits.hpp"
#include "web/tls/openssl_handles.hpp"

namespace keyward::web {

namespace {

// TLS 1.2: ephemeral keys and AEAD, nothing else (RFC 9325 §4.2). TLS 1.3 has only such.
constexpr const char* suites_of_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::array<unsigned char, 9> own_protocol{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  // The callback's type has no const on the way out; nothing is written through it.
  unsigned char* selected = nullptr;
  const int found = SSL_select_next_proto(&selected, chosen_size, own_protocol.data(), own_protocol.size(),
                                          offered, offered_size);
  *chosen = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::unexpected<Error> refuse(const std::filesystem::path& file, std::string_view why) {
  return fail(ErrorCode::invalid_input, fmt::format("{}: {}", file.string(), why));
}

Result<void> check_key_file(const std::filesystem::path& file) {
  struct stat found{};
  if (stat(file.c_str(), &found) != 0) return refuse(file, "cannot be read");
  if ((found.st_mode & S_IRWXO) != 0)
    return refuse(file, "everybody on this machine can read the key; chmod 640 or 600");
  return {};
}

Result<Time> read_end(SSL_CTX* context, const TlsFiles& files, Time now) {
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  std::tm end{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return refuse(files.certificate, "the certificate has no end that can be read");
  const auto expires_at = from_unix_s(timegm(&end));
  if (expires_at <= now)
    return refuse(files.certificate, fmt::format("the certificate expired at {}", to_rfc3339(expires_at)));
  return expires_at;
}

Result<TlsContext> make_context(const TlsFiles& files) {
  ERR_clear_error();
  TlsContext context{SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
  if (context == nullptr) return fail(ErrorCode::internal, "OpenSSL has no TLS", last_tls_error());
  auto* const raw = context.get();
  SSL_CTX_set_security_level(raw, 2);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(
      raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(raw, &choose_protocol, nullptr);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets do it
  SSL_CTX_set_num_tickets(raw, 1);
  SSL_CTX_set_timeout(raw, std::chrono::seconds{limits::tls_ticket_lifetime}.count());
  if (SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(raw, suites_of_1_2) != 1) {
    return fail(ErrorCode::internal, "OpenSSL refuses the TLS settings", last_tls_error());
  }
  if (SSL_CTX_use_certificate_chain_file(raw, files.certificate.c_str()) != 1)
    return refuse(files.certificate, "is no PEM file of certificates: " + last_tls_error());
  if (SSL_CTX_use_PrivateKey_file(raw, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse(files.key, "is no PEM file of this certificate's private key: " + last_tls_error());
  if (SSL_CTX_check_private_key(raw) != 1)
    return refuse(files.key, "is not the key of " + files.certificate.string());
  return context;
}

}  // namespace

Result<std::unique_ptr<TlsCertificate>> TlsCertificate::load(TlsFiles files, Time now) {
  std::unique_ptr<TlsCertificate> certificate{new TlsCertificate(std::move(files))};
  if (auto loaded = certificate->reload(now); !loaded) return fail_from(loaded);
  return certificate;
}

TlsCertificate::Version TlsCertificate::look() const {
  std::error_code ignored;  // a file that is away for a moment is another version
  return {std::filesystem::last_write_time(files_.certificate, ignored),
          std::filesystem::last_write_time(files_.key, ignored),
          std::filesystem::file_size(files_.certificate, ignored),
          std::filesystem::file_size(files_.key, ignored)};
}

bool TlsCertificate::is_stale(Time now) const {
  return now - loaded_at_ > limits::tls_ticket_lifetime || look() != version_;
}

Result<void> TlsCertificate::reload(Time now) {
  // Looked at before they are read: what is written meanwhile is another version the next time.
  const auto version = look();
  if (auto safe = check_key_file(files_.key); !safe) return safe;
  auto context = make_context(files_);
  if (!context) return fail_from(context);
  auto expires_at = read_end(context->get(), files_, now);
  if (!expires_at) return fail_from(expires_at);
  version_ = version;
  loaded_at_ = now;
  expires_at_ = *expires_at;
  current_.store(std::move(*context));
  return {};
}

}  // namespace keyward::web
