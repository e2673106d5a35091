// Metrics: what GET /metrics answers, in Prometheus's text format.
//
// Each part of the server counts for itself (base/metrics.hpp); here is the one list of names. A name or a
// label that is there is a promise to dashboards and alerts: none is renamed. What costs a question to the
// database is asked at most every limits::mail_queue_max_age, and not waited for while the database is away.
// Threat: a flood of questions that keeps the cores busy (each loop makes the text at most once in
// limits::metrics_kept).
#pragma once

#include <memory>
#include <string>

#include "app/sharing.hpp"
#include "app/social_logins.hpp"
#include "base/clock.hpp"
#include "base/metrics_text.hpp"
#include "base/mutex.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/limits/limits.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "domain/sessions/refresh_tokens.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "features/login/login.hpp"
#include "features/refresh/refresh.hpp"
#include "features/registration/registration.hpp"
#include "mail/sender.hpp"
#include "web/engine/server.hpp"
#include "web/router.hpp"

namespace keyward::app {

class Metrics {
 public:
  struct Sources {
    const web::Server& server;
    const web::Router& router;
    const web::TlsCertificate* certificate;  // none: no TLS
    storage::Database& database;
    const domain::PasswordHasher& hasher;
    const domain::Limits& limits;
    const domain::EventLog& events;
    const domain::KeyRing& keys;
    const domain::TokenIssuer& tokens;
    const domain::RefreshTokens& refresh_tokens;
    const features::Login& login;
    const features::Registration& registration;
    const features::Refresh& refresh;
    const SocialLogins& social;
    const mail::Sender& mail_sender;
    const Sharing& sharing;
    const Clock& clock;
  };
  explicit Metrics(Sources sources);

  /// At most limits::metrics_kept old.
  [[nodiscard]] Task<std::string> text();

 private:
  struct MailQueue;
  struct Kept {
    std::shared_ptr<const std::string> text;
    Time begun_at{};
  };

  std::shared_ptr<const std::string> kept_text();
  void keep(std::shared_ptr<const std::string> text, Time begun_at);
  [[nodiscard]] std::string made_text() const;

  void add_traffic(MetricsText& text) const;
  void add_routes(MetricsText& text) const;
  void add_tls(MetricsText& text) const;
  void add_logins(MetricsText& text) const;
  void add_social_logins(MetricsText& text) const;
  void add_passwords(MetricsText& text) const;
  void add_tokens(MetricsText& text) const;
  void add_limits(MetricsText& text) const;
  void add_database(MetricsText& text) const;
  void add_redis(MetricsText& text) const;
  void add_mail(MetricsText& text) const;
  void add_logs(MetricsText& text) const;
  Task<void> look_at_mail_queue();
  static Task<bool> look(storage::Database* database, std::shared_ptr<MailQueue> queue, const Clock* clock);

  Sources of_;
  Mutex mutex_;
  Kept kept_ KEYWARD_GUARDED_BY(mutex_);
  std::shared_ptr<MailQueue> mail_queue_;  // also of a look at it that nobody waits for any more
};

}  // namespace keyward::app
