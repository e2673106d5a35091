#include "features/jwks/jwks.hpp"

#include <fmt/format.h>

#include "base/limits.hpp"

namespace keyward::features {

Task<Result<web::Response>> Jwks::key_set(web::Public, web::RawRequest request) {
  const auto current = co_await keys.current();
  web::Response response;
  response.headers = {{"ETag", current->key_set_etag},
                      {"Cache-Control", fmt::format("public, max-age={}", limits::jwks_max_age.count())}};
  if (request->header("if-none-match") == std::string_view{current->key_set_etag}) {
    response.status = 304;
    response.content_type = {};
    co_return response;
  }
  response.content_type = "application/jwk-set+json";
  response.body = current->key_set_json;
  co_return response;
}

}  // namespace keyward::features
