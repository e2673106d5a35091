// Health: for what watches the server.
//
// GET /livez   -> 200 {status}: the process answers
// GET /readyz  -> 200 {status, checks}: it should be given requests; 503 with a sentence that says why not:
// the database does not answer within limits::readiness_timeout, its schema is not this program's, or the
// server is about to stop
// GET /metrics -> 200 in Prometheus's text format, to callers on this machine that no proxy speaks for and
// that call it by a name it has for itself; 404 to others, and to everybody when there is a listener for it
// (server.management_listen) or the settings speak of a proxy
//
// Threats: an inside view for strangers (H3: see /metrics; a refusal names the part and never a reason that
// the database gave) · probes that pile up, or that refuse each other (readiness.hpp).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "features/health/readiness.hpp"
#include "storage/database.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct HealthView {
  std::string status;
};
BOOST_DESCRIBE_STRUCT(HealthView, (), (status))

/// "ok" each. What may be away while the node serves is a member with a word of its own ("degraded") and
/// refuses nothing.
struct ReadinessChecks {
  std::string database;
  std::string migrations;
  std::string drain;
};
BOOST_DESCRIBE_STRUCT(ReadinessChecks, (), (database, migrations, drain))

struct ReadinessView {
  std::string status;
  ReadinessChecks checks;
};
BOOST_DESCRIBE_STRUCT(ReadinessView, (), (status, checks))

struct Health {
  storage::Database& database;
  const std::atomic<bool>& draining;
  std::function<Task<std::string>()> metrics_text;  // wiring knows what there is to count
  bool shows_metrics = true;                        // at the public address
  // Shared with a question that nobody waits for any more.
  std::shared_ptr<Readiness> readiness = std::make_shared<Readiness>(database);

  Result<HealthView> live(web::Public) const;
  Task<Result<ReadinessView>> ready(web::Public);
  Task<Result<web::Response>> metrics(web::Public, web::RawRequest request) const;
  /// Where only those can ask who may know.
  Task<Result<web::Response>> metrics_for_all(web::Public) const;
};

}  // namespace keyward::features
