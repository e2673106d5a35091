#include "features/health/health.hpp"

#include "base/metrics_text.hpp"
#include "text/ip_address.hpp"

namespace keyward::features {

namespace {

constexpr int retry_after_s = 2;

std::unexpected<Error> not_ready(std::string message) {
  auto error = fail(ErrorCode::unavailable, std::move(message));
  error.error().retry_after_s = retry_after_s;
  return error;
}

bool is_loopback(std::string_view text) {
  const auto address = text::IpAddress::parse(text);
  return address && (address->to_text() == "::1" || address->to_text().starts_with("127."));
}

/// The value of a Host header: a name of this machine for itself, with a port or without.
bool names_this_machine(std::string_view host) {
  const auto colon = host.rfind(':');
  if (colon != std::string_view::npos && !host.substr(colon).contains(']')) host = host.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host == "localhost" || is_loopback(host);
}

}  // namespace

Result<HealthView> Health::live(web::Public) const { return HealthView{"ok"}; }

Task<Result<ReadinessView>> Health::ready(web::Public) {
  if (draining) co_return not_ready("Not ready: the server is about to stop");
  switch (co_await readiness->ask()) {
    case DatabaseState::silent:
      co_return not_ready("Not ready: the database does not answer");
    case DatabaseState::lacks_migrations:
      co_return not_ready("Not ready: the database lacks migrations of this version");
    case DatabaseState::ready:
      break;
  }
  co_return ReadinessView{"ok", {.database = "ok", .migrations = "ok", .drain = "ok"}};
}

Task<Result<web::Response>> Health::metrics(web::Public, web::RawRequest request) const {
  // Behind a proxy on this machine everybody comes from the loopback address; some add no header about it.
  bool local = shows_metrics && is_loopback(request->client.address) &&
               names_this_machine(request->header("host").value_or(""));
  for (const std::string_view header : {"forwarded", "x-forwarded-for", "x-real-ip", "via"}) {
    local = local && !request->header(header);
  }
  if (!local) co_return fail(ErrorCode::not_found, "There is nothing here");
  co_return co_await metrics_for_all({});
}

Task<Result<web::Response>> Health::metrics_for_all(web::Public) const {
  web::Response response;
  response.content_type = MetricsText::content_type;
  response.body = co_await metrics_text();
  co_return response;
}

}  // namespace keyward::features
