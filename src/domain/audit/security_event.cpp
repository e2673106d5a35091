#include "domain/audit/security_event.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace keyward::domain {

namespace {

void append(std::string& line, std::string_view name, std::string_view value) {
  if (!value.empty()) line += fmt::format(R"(,"{}":{})", name, to_log_json(value));
}

void append(std::string& line, std::string_view name, const std::optional<Uuid>& id) {
  if (id) append(line, name, id->to_string());
}

}  // namespace

std::string to_json_line(const SecurityEvent& event, Time now) {
  auto line = fmt::format(R"({{"time":"{}","event":"{}")", to_rfc3339(now), event.name);
  append(line, "user_id", event.account_id);
  append(line, "actor_id", event.actor_id);
  append(line, "session_id", event.session_id);
  append(line, "reason", event.reason);
  append(line, "detail", event.detail);
  append(line, "email", event.email);
  append(line, "address", event.address);
  append(line, "user_agent", event.user_agent);
  append(line, "request_id", event.request_id);
  return line + '}';
}

}  // namespace keyward::domain
