#include "app/metrics.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string_view>

#include "app/process_metrics.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "runtime/within.hpp"

namespace keyward::app {

using enum MetricType;

struct Metrics::MailQueue {
  Mutex mutex;
  std::optional<domain::MailQueue> seen KEYWARD_GUARDED_BY(mutex);
  Time seen_at KEYWARD_GUARDED_BY(mutex){};
  bool looking KEYWARD_GUARDED_BY(mutex) = false;
};

namespace {

constexpr std::array<std::string_view, 8> method_names{"GET",   "HEAD",   "POST",    "PUT",
                                                       "PATCH", "DELETE", "OPTIONS", "other"};

double to_seconds(microseconds time) { return std::chrono::duration<double>(time).count(); }

std::string name_of_status(unsigned status) { return status == 0 ? "other" : std::to_string(status); }

}  // namespace

Metrics::Metrics(Sources sources) : of_(sources), mail_queue_(std::make_shared<MailQueue>()) {}

Task<std::string> Metrics::text() {
  auto text = kept_text();
  if (text == nullptr) {
    co_await look_at_mail_queue();
    const auto begun_at = of_.clock.steady();
    text = std::make_shared<const std::string>(made_text());
    keep(text, begun_at);
  }
  co_return *text;
}

std::shared_ptr<const std::string> Metrics::kept_text() {
  const Lock lock{mutex_};
  const auto age = of_.clock.steady() - kept_.begun_at;
  return age >= microseconds{0} && age < limits::metrics_kept ? kept_.text : nullptr;
}

/// Of two that were made at once the newer, so that no counter seems to fall.
void Metrics::keep(std::shared_ptr<const std::string> text, Time begun_at) {
  const Lock lock{mutex_};
  if (kept_.text == nullptr || begun_at > kept_.begun_at) kept_ = {std::move(text), begun_at};
}

std::string Metrics::made_text() const {
  MetricsText text;
  text.begin("keyward_build_info", gauge, "Always 1; which version runs.");
  text.sample({{"version", KEYWARD_VERSION}}, 1);
  add_traffic(text);
  add_routes(text);
  add_tls(text);
  add_logins(text);
  add_social_logins(text);
  add_passwords(text);
  add_tokens(text);
  add_limits(text);
  add_database(text);
  add_redis(text);
  add_mail(text);
  add_logs(text);
  add_process_metrics(text);
  return text.take();
}

void Metrics::add_traffic(MetricsText& text) const {
  const auto server = of_.server.statistics();
  text.gauge("keyward_http_connections_open", "Open connections.", server.connections_open);
  text.counter("keyward_http_connections_total", "Connections taken.", server.connections_accepted);
  text.begin("keyward_http_connections_refused_total", MetricType::counter, "Connections above a limit.");
  text.sample({{"reason", "connections_max"}}, server.connections_refused);
  text.sample({{"reason", "connections_per_address_max"}}, server.peers_refused);
  text.counter("keyward_http_timeouts_total", "Connections ended because the peer was too slow or idle.",
               server.timeouts);
  text.counter("keyward_http_requests_total", "Requests given to a handler.", server.requests);
  text.counter("keyward_http_requests_refused_total", "Malformed, oversized or late requests.",
               server.requests_refused);
}

/// Only what was asked for at least once: there are many routes, and most statuses never happen. But the
/// first 500 or 503 of a route must be seen as an increase, so these begin with 0.
void Metrics::add_routes(MetricsText& text) const {
  const auto counts = of_.server.route_counts();
  const auto& routes = of_.router.routes();
  const auto labels_of = [&](std::size_t number) -> std::pair<std::string_view, std::string_view> {
    if (number == 0 || number > routes.size()) return {"other", "other"};
    const auto& route = *routes[number - 1];
    return {method_names.at(static_cast<std::size_t>(route.method)), route.path};
  };
  text.begin("keyward_http_responses_total", counter,
             "Answers by route and status; route \"other\": there is none, or the request was malformed.");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto [method, route] = labels_of(i);
    for (std::size_t k = 0; k < web::counted_statuses.size(); ++k) {
      const auto count = counts[i].by_status.at(k);
      const bool is_alarming = web::counted_statuses.at(k) == 500 || web::counted_statuses.at(k) == 503;
      if (count == 0 && !(is_alarming && counts[i].durations.count() != 0)) continue;
      const auto status = name_of_status(web::counted_statuses.at(k));
      text.sample({{"method", method}, {"route", route}, {"status", status}}, count);
    }
  }
  text.begin("keyward_http_request_duration_seconds", histogram,
             "From the whole request to its answer, by route.");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto [method, route] = labels_of(i);
    if (counts[i].durations.count() != 0)
      text.sample({{"method", method}, {"route", route}}, counts[i].durations);
  }
}

void Metrics::add_tls(MetricsText& text) const {
  if (of_.certificate == nullptr) return;
  const auto server = of_.server.statistics();
  text.begin("keyward_tls_handshakes_total", counter, "TLS handshakes, full or resumed.");
  text.sample({{"kind", "full"}}, server.handshakes_full);
  text.sample({{"kind", "resumed"}}, server.handshakes_resumed);
  text.counter("keyward_tls_handshakes_refused_total", "Connections that did not get as far as a request.",
               server.handshakes_refused);
  text.gauge("keyward_tls_certificate_expires_seconds", "When the certificate in use expires, Unix time.",
             to_unix_s(of_.certificate->expires_at()));
}

void Metrics::add_logins(MetricsText& text) const {
  text.counter("keyward_logins_total", "Logins, by what came of them.", "result", of_.login.results);
  text.counter("keyward_registrations_total", "Registrations, by what came of them.", "result",
               of_.registration.results);
}

/// Only where there are providers.
void Metrics::add_social_logins(MetricsText& text) const {
  if (of_.social.providers().all().empty()) return;
  text.begin("keyward_social_logins_total", counter,
             "Logins that came back from a provider, by what came of them.");
  for (const auto& provider : of_.social.providers().all()) {
    provider.results->for_each([&](std::string_view word, std::uint64_t count) {
      text.sample({{"provider", provider.name}, {"result", word}}, count);
    });
  }
  const auto& meters = of_.social.meters();
  text.counter("keyward_outbound_requests_total", "Requests to providers, by what came of them.", "result",
               meters.results);
  text.histogram("keyward_outbound_request_seconds", "Time of a request to a provider.",
                 meters.seconds.values());
  text.gauge("keyward_outbound_connections_open", "Open connections to providers.",
             meters.open_connections.load(std::memory_order_relaxed));
}

void Metrics::add_passwords(MetricsText& text) const {
  const auto hashing = of_.hasher.statistics();
  text.counter("keyward_password_hashes_total", "Password hashes computed.", hashing.hashes_done);
  text.counter("keyward_password_hashes_refused_total", "Hashes refused because the queue was full.",
               hashing.refused);
  text.gauge("keyward_password_hashes_waiting", "Hashes waiting for a thread.", hashing.waiting);
  text.histogram("keyward_password_hash_seconds", "Time to compute a password hash.", hashing.hashes);
  text.histogram("keyward_password_hash_wait_seconds", "Time that a hash waited for a thread.",
                 hashing.waits);
}

void Metrics::add_tokens(MetricsText& text) const {
  text.begin("keyward_tokens_issued_total", counter, "Tokens issued.");
  text.sample({{"kind", "access"}}, of_.tokens.issued());
  text.sample({{"kind", "refresh"}}, of_.refresh_tokens.made());
  text.counter("keyward_refreshes_total", "Refreshes, by what came of them.", "result", of_.refresh.results);
  text.gauge("keyward_signing_key_age_seconds", "How long the key that signs has signed.",
             to_seconds(of_.keys.latest()->signer_age(of_.clock.now())));
}

void Metrics::add_limits(MetricsText& text) const {
  const auto by_limit = [&](std::string_view name, MetricType type, std::string_view help, auto value_of) {
    text.begin(name, type, help);
    for (std::size_t i = 0; i < domain::limit_class_count; ++i) {
      const auto limit = static_cast<domain::LimitClass>(i);
      text.sample({{"limit", name_of(limit)}}, value_of(limit));
    }
  };
  by_limit("keyward_rate_limit_refusals_total", counter, "Requests refused by a rate limit.",
           [&](auto limit) { return of_.limits.refusals(limit); });
  by_limit("keyward_rate_limit_crowded_total", counter,
           "Newcomers whom a flood of keys left less than half of a quota.",
           [&](auto limit) { return of_.limits.crowded(limit); });
  by_limit("keyward_rate_limit_keys", gauge, "Accounts, devices or addresses that a limit remembers.",
           [&](auto limit) { return of_.limits.key_count(limit); });
}

void Metrics::add_database(MetricsText& text) const {
  const auto reads = of_.database.read_statistics();
  const auto writes = of_.database.write_statistics();
  const auto both = [&](std::string_view name, MetricType type, std::string_view help, auto value_of) {
    text.begin(name, type, help);
    text.sample({{"lane", "read"}}, value_of(reads));
    text.sample({{"lane", "write"}}, value_of(writes));
  };
  text.gauge("keyward_database_waiting_reads", "Reads waiting for a database thread.", reads.waiting);
  text.gauge("keyward_database_waiting_writes", "Writes waiting for the writer.", writes.waiting);
  both("keyward_database_connections", gauge, "Database threads, a connection each.",
       [](const auto& lane) { return lane.connections; });
  both("keyward_database_busy", gauge, "Database threads at work.",
       [](const auto& lane) { return lane.busy; });
  both("keyward_database_conflicts_total", counter, "Closures run once more after a conflict.",
       [](const auto& lane) { return lane.conflicts; });
  both("keyward_database_reconnects_total", counter, "Connections made anew.",
       [](const auto& lane) { return lane.reconnects; });
  both("keyward_database_closure_seconds", histogram, "Time to run a closure, its commit included.",
       [](const auto& lane) { return lane.durations; });
  text.histogram("keyward_database_group_size", "Write closures in one commit.", writes.groups);
}

void Metrics::add_redis(MetricsText& text) const {
  const auto redis = of_.sharing.redis_statistics();
  if (!redis) return;
  text.gauge("keyward_redis_up", "Whether Redis answers.", redis->up ? 1 : 0);
  text.counter("keyward_redis_commands_total", "Calls that Redis answered.", redis->calls);
  text.counter("keyward_redis_failures_total", "Calls that Redis did not answer, or with an error.",
               redis->failures);
  text.counter("keyward_rate_limit_fallback_total", "Rate limits that were decided without Redis.",
               of_.sharing.fallbacks());
}

void Metrics::add_mail(MetricsText& text) const {
  const auto mails = of_.mail_sender.statistics();
  text.counter("keyward_mails_sent_total", "Mails taken by the mail server.", mails.sent);
  text.counter("keyward_mails_failed_total", "Mails refused for good, or expired.", mails.failed);
  text.counter("keyward_mail_attempts_failed_total", "Attempts after which a mail was put off.",
               mails.postponed);
  const Lock lock{mail_queue_->mutex};
  if (!mail_queue_->seen) return;
  const auto& [waiting, oldest] = *mail_queue_->seen;
  text.gauge("keyward_mails_waiting", "Mails in the outbox.", waiting);
  text.gauge("keyward_mail_oldest_waiting_seconds", "How long the oldest of them has waited.",
             oldest ? to_seconds(std::max(microseconds{0}, of_.clock.now() - *oldest)) : 0.0);
}

void Metrics::add_logs(MetricsText& text) const {
  text.counter("keyward_security_events_total", "Security events by name.", "event", of_.events.counts());
  text.counter("keyward_security_events_dropped_total", "Events that standard output did not take.",
               of_.events.dropped());
  text.counter("keyward_log_lines_dropped_total", "Log lines that standard error did not take.",
               LogWriter::dropped_lines());
}

Task<void> Metrics::look_at_mail_queue() {
  {
    const Lock lock{mail_queue_->mutex};
    const auto age = of_.clock.now() - mail_queue_->seen_at;
    const bool fresh = age >= microseconds{0} && age < limits::mail_queue_max_age;
    if (mail_queue_->looking || (mail_queue_->seen && fresh)) co_return;
    mail_queue_->looking = true;
  }
  // Nobody waits for a database that is away: the last count counts until it is back.
  (void)co_await within(limits::mail_queue_wait, look(&of_.database, mail_queue_, &of_.clock));
}

Task<bool> Metrics::look(storage::Database* database, std::shared_ptr<MailQueue> queue, const Clock* clock) {
  std::optional<domain::MailQueue> seen;
  try {
    seen = co_await database->read(domain::read_mail_queue);
  } catch (const storage::Failure& failure) {
    log(LogLevel::debug, "mail_queue_not_read", {{"reason", failure.what()}});
  }
  const Lock lock{queue->mutex};
  queue->looking = false;
  if (seen) queue->seen = seen;
  if (seen) queue->seen_at = clock->now();
  co_return seen.has_value();
}

}  // namespace keyward::app
