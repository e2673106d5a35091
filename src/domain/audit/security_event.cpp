#include "domain/audit/security_event.hpp"

#include <fmt/format.h>

#include <array>

#include "base/log.hpp"

namespace keyward::domain {

namespace {

void append(std::string& line, std::string_view name, std::string_view value) {
  if (!value.empty()) line += fmt::format(R"(,"{}":{})", name, to_log_json(value));
}

void append(std::string& line, std::string_view name, const std::optional<Uuid>& id) {
  if (id) append(line, name, id->to_string());
}

constexpr auto names = std::to_array<std::string_view>({"audit_refusals_omitted",
                                                        "authn_login_fail",
                                                        "authn_login_fail_max",
                                                        "authn_login_lock",
                                                        "authn_login_success",
                                                        "authn_login_successafterfail",
                                                        "authn_password_change",
                                                        "authn_password_upgraded",
                                                        "authn_token_created",
                                                        "authn_token_reuse",
                                                        "authn_token_revoked",
                                                        "authz_admin",
                                                        "authz_change",
                                                        "authz_fail",
                                                        "excess_rate_limit_exceeded",
                                                        "sensitive_create",
                                                        "session_use_after_expire",
                                                        "sys_monitor_degraded",
                                                        "sys_monitor_restored",
                                                        "sys_shutdown",
                                                        "sys_startup",
                                                        "user_created",
                                                        "user_deleted",
                                                        "user_updated"});

}  // namespace

const std::span<const std::string_view> event_names = names;

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
  append(line, "trace_id", event.trace_id);
  return line + '}';
}

}  // namespace keyward::domain
