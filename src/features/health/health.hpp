// Health: for what watches the server.
//
// GET /livez   -> 200 {status}: the process answers
// GET /readyz  -> 200 {status}: the database answers as well; 503 when it does not
// GET /metrics -> 200 in Prometheus's text format, to callers on this machine that no proxy speaks for; 404
// to others
#pragma once

#include <functional>
#include <string>

#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct HealthView {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(HealthView, (), (status))

struct Health {
  storage::Database& database;
  std::function<std::string()> metrics_text;  // wiring knows what there is to count

  Result<HealthView> live(web::Public) const;
  Task<Result<HealthView>> ready(web::Public);
  Result<web::Response> metrics(web::Public, web::RawRequest request) const;
};

}  // namespace keyward::features
