#include "web/tls/certificate_report.hpp"

#include <openssl/x509v3.h>

#include "text/ip_address.hpp"
#include "web/tls/openssl_handles.hpp"

namespace keyward::web {

namespace {

std::optional<std::string> chain_fault_of(SSL_CTX* context, X509* certificate) {
  using Store = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
  using Check = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;
  const Store store{X509_STORE_new()};
  const Check check{X509_STORE_CTX_new()};
  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(context, static_cast<void*>(&between));
  if (store == nullptr || check == nullptr || X509_STORE_set_default_paths(store.get()) != 1 ||
      X509_STORE_CTX_init(check.get(), store.get(), certificate, between) != 1) {
    return "it cannot be checked: " + last_tls_error();
  }
  X509_STORE_CTX_set_default(check.get(), "ssl_server");
  if (X509_verify_cert(check.get()) == 1) return std::nullopt;
  const char* const why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
  return why;
}

bool names(X509* certificate, const std::string& host) {
  if (text::IpAddress::parse(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  return X509_check_host(certificate, host.data(), host.size(), 0, nullptr) == 1;
}

}  // namespace

Result<CertificateReport> report_certificate(const TlsFiles& files, const std::string& host, Time now) {
  auto loaded = TlsCertificate::load(files, now);
  if (!loaded) return fail_from(loaded);
  const auto context = (*loaded)->current();
  X509* const certificate = SSL_CTX_get0_certificate(context.get());
  return CertificateReport{.expires_at = (*loaded)->expires_at(),
                           .names_host = names(certificate, host),
                           .chain_fault = chain_fault_of(context.get(), certificate)};
}

}  // namespace keyward::web
