#include "features/health/health.hpp"

#include <optional>

#include "base/limits.hpp"
#include "base/metrics_text.hpp"
#include "runtime/within.hpp"
#include "storage/migrations.hpp"

namespace keyward::features {

namespace {

constexpr int retry_after_s = 2;

std::unexpected<Error> not_ready(std::string message, std::string private_detail = {}) {
  auto error = fail(ErrorCode::unavailable, std::move(message), std::move(private_detail));
  error.error().retry_after_s = retry_after_s;
  return error;
}

/// Among those who ask at the moment.
class Place {
 public:
  explicit Place(std::atomic<unsigned>& taken) : taken_(taken), number_(++taken) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { --taken_; }
  [[nodiscard]] unsigned number() const { return number_; }

 private:
  std::atomic<unsigned>& taken_;
  unsigned number_;
};

/// How many migrations the database lacks; nothing when it does not say. Owns what it uses: it may outlive
/// its request.
Task<std::optional<std::size_t>> count_missing(storage::Database* database,
                                               std::shared_ptr<std::atomic<unsigned>> questions) {
  const Place place{*questions};
  if (place.number() > 8U) co_return std::nullopt;
  try {
    co_return co_await database->read(storage::count_missing_migrations);
  } catch (const storage::Failure& failure) {
    log(LogLevel::warning, "not_ready", {{"reason", failure.what()}});
    co_return std::nullopt;
  }
}

}  // namespace

Result<HealthView> Health::live(web::Public) const { return HealthView{"ok"}; }

Task<Result<ReadinessView>> Health::ready(web::Public) {
  if (draining) co_return not_ready("Not ready: the server is about to stop");
  const auto missing = co_await within(limits::readiness_timeout, count_missing(&database, questions));
  if (!missing || !*missing) co_return not_ready("Not ready: the database does not answer");
  if (**missing != 0) co_return not_ready("Not ready: the database lacks migrations of this version");
  co_return ReadinessView{"ok", {.database = "ok", .migrations = "ok", .drain = "ok"}};
}

Task<Result<web::Response>> Health::metrics(web::Public, web::RawRequest request) const {
  const auto& address = request->client.address;
  bool local = !metrics_elsewhere && (address == "::1" || address.starts_with("127."));
  // Behind a proxy on this machine everybody comes from the loopback address.
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
