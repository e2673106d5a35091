// What answers at the public URL, the certificate, and the mail server. Each has
// limits::doctor_network_timeout.
#pragma once

#include "app/config/config.hpp"
#include "app/doctor/finding.hpp"
#include "base/clock.hpp"

namespace keyward::app {

std::vector<Finding> check_public_url(const Config& config, const Clock& clock);
/// The files of tls.certificate and tls.key.
std::vector<Finding> check_certificate(const Config& config, Time now);
/// Connects, greets and asks what the server offers; sends no mail and logs in nowhere.
std::vector<Finding> check_mail_server(const Config& config);

/// The time of an HTTP Date header (RFC 9110 §5.6.7), as servers send it; nothing for anything else.
std::optional<Time> parse_http_date(std::string_view text);

}  // namespace keyward::app
