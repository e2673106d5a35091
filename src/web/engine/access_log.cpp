#include "web/engine/access_log.hpp"

#include <fmt/format.h>

#include <array>

#include "base/log.hpp"

namespace keyward::web::engine {

void log_access(const Request& request, const Response& response, std::chrono::nanoseconds duration) {
  const LogScope whose{&request.log_context};
  const auto duration_us = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  constexpr std::array<std::string_view, 8> methods{"GET",   "HEAD",   "POST",    "PUT",
                                                    "PATCH", "DELETE", "OPTIONS", "-"};
  log(LogLevel::info, "request",
      {{"method", methods.at(static_cast<std::size_t>(request.method))},
       {"path", request.path},
       {"route", request.pattern},
       {"status", fmt::format_int{response.status}.str()},
       {"bytes", fmt::format_int{response.content().size()}.str()},
       {"duration_us", fmt::format_int{duration_us}.str()},
       {"address", request.client.address}});
}

}  // namespace keyward::web::engine
