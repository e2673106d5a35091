// The part of a probe (web/probe.hpp) that goes over TLS.
#pragma once

#include <string>

#include "base/error.hpp"

namespace keyward::web {

/// The status of one GET. Error: unavailable (nothing answers within five seconds).
Result<unsigned> blocking_tls_probe(const std::string& host, const std::string& port,
                                    const std::string& path);

}  // namespace keyward::web
