#include "features/health/health.hpp"

namespace keyward::features {

Result<HealthView> Health::live(web::Public) const { return HealthView{"ok"}; }

Task<Result<HealthView>> Health::ready(web::Public) {
  // A failure is an exception, which the router answers with 503.
  co_await database.read([](storage::Transaction& transaction) {
    return transaction.get<std::int64_t>("SELECT count(*) AS n FROM signing_keys");
  });
  co_return HealthView{"ok"};
}

Result<web::Response> Health::metrics(web::Public, web::Client client) const {
  const bool local = client.address == "::1" || client.address.starts_with("127.");
  if (!local) return fail(ErrorCode::not_found, "There is nothing here");
  web::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_text();
  return response;
}

}  // namespace keyward::features
