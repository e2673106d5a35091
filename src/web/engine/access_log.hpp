// The access log: one line a request, when it is switched on.
#pragma once

#include <chrono>

#include "web/message.hpp"

namespace keyward::web::engine {

/// Without the query: links in mails carry tokens there.
void log_access(const Request& request, const Response& response, std::chrono::nanoseconds duration);

}  // namespace keyward::web::engine
