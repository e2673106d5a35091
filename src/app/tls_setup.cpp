#include "app/tls_setup.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "runtime/pause.hpp"

namespace keyward::app {

namespace {

void warn_of_end(const web::TlsCertificate& certificate, Time now) {
  if (certificate.expires_at() - now > limits::tls_expiry_warning) return;
  log(LogLevel::warning, "certificate_expires_soon", {{"expires_at", to_rfc3339(certificate.expires_at())}});
}

}  // namespace

Result<std::unique_ptr<web::TlsCertificate>> load_certificate(const Config& config, Time now) {
  if (!has_tls(config)) return nullptr;
  web::TlsFiles files{config.tls.certificate, config.tls.key};
  if (config.tls.development) {
    files = {config.storage.data / "development-certificate.pem",
             config.storage.data / "development-key.pem"};
    if (auto made = web::make_development_certificate(files, now); !made) return fail_from(made);
  }
  auto certificate = web::TlsCertificate::load(std::move(files), now);
  if (certificate && !config.tls.development) warn_of_end(**certificate, now);
  return certificate;
}

Task<void> renew_certificate(web::TlsCertificate* certificate, const Clock* clock) {
  while (true) {
    co_await pause(limits::tls_check_interval);
    const auto now = clock->now();
    if (!certificate->is_stale(now)) continue;
    if (const auto renewed = certificate->reload(now); !renewed) {
      log(LogLevel::error, "certificate_not_renewed", {{"reason", renewed.error().message}});
    } else {
      log(LogLevel::info, "certificate_renewed", {{"expires_at", to_rfc3339(certificate->expires_at())}});
      warn_of_end(*certificate, now);
    }
  }
}

}  // namespace keyward::app
