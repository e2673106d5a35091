// What is to be said of a certificate in files, beyond what makes the server refuse it.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "web/tls/tls_certificate.hpp"

namespace keyward::web {

struct CertificateReport {
  Time expires_at;
  bool names_host = false;
  std::optional<std::string> chain_fault;  // why it does not lead to an authority that this machine trusts
};

/// Error: invalid_input, a sentence without the files' content: they cannot be served, or have expired.
Result<CertificateReport> report_certificate(const TlsFiles& files, const std::string& host, Time now);

}  // namespace keyward::web
