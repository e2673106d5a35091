// The certificate of the HTTPS listener: loaded at start, taken up anew while the server runs.
#pragma once

#include <memory>

#include "app/config/config.hpp"
#include "base/clock.hpp"
#include "runtime/task.hpp"
#include "web/tls/tls_certificate.hpp"

namespace keyward::app {

/// None: the settings ask for no TLS. The error is one sentence for the operator.
Result<std::unique_ptr<web::TlsCertificate>> load_certificate(const Config& config, Time now);

/// Looks every limits::tls_check_interval whether the files have changed. Never returns; both outlive it.
Task<void> renew_certificate(web::TlsCertificate* certificate, const Clock* clock);

}  // namespace keyward::app
