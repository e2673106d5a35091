#include "features/health/health.hpp"

#include "domain/keys/signing_keys.hpp"

namespace keyward::features {

Result<HealthView> Health::live(web::Public) const { return HealthView{"ok"}; }

Task<Result<HealthView>> Health::ready(web::Public) {
  // A failure is an exception, which the router answers with 503.
  co_await database.read(domain::list_signing_keys);
  co_return HealthView{"ok"};
}

Result<web::Response> Health::metrics(web::Public, web::RawRequest request) const {
  const auto& address = request->client.address;
  bool local = address == "::1" || address.starts_with("127.");
  // Behind a proxy on this machine everybody comes from the loopback address.
  for (const std::string_view header : {"forwarded", "x-forwarded-for", "x-real-ip", "via"}) {
    local = local && !request->header(header);
  }
  if (!local) return fail(ErrorCode::not_found, "There is nothing here");
  web::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_text();
  return response;
}

}  // namespace keyward::features
