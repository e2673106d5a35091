// Application: every object of the running server, constructed in one place and in the order of their needs.
#pragma once

#include <atomic>
#include <memory>

#include "access/token_gate.hpp"
#include "app/account_pages.hpp"
#include "app/core.hpp"
#include "app/deferred_work.hpp"
#include "app/metrics.hpp"
#include "app/sharing.hpp"
#include "app/social_logins.hpp"
#include "domain/limits/device_tokens.hpp"
#include "domain/limits/limits.hpp"
#include "features/admin_users/admin_users.hpp"
#include "features/audit/audit.hpp"
#include "features/current_password.hpp"
#include "features/email_change/email_change.hpp"
#include "features/email_verification/email_verification.hpp"
#include "features/health/health.hpp"
#include "features/jwks/jwks.hpp"
#include "features/limited.hpp"
#include "features/login/login.hpp"
#include "features/logout/logout.hpp"
#include "features/one_time_proof.hpp"
#include "features/password_attempts.hpp"
#include "features/password_reset/password_reset.hpp"
#include "features/profile/profile.hpp"
#include "features/refresh/refresh.hpp"
#include "features/registration/registration.hpp"
#include "features/roles/roles.hpp"
#include "features/sessions/sessions.hpp"
#include "features/setup/setup.hpp"
#include "mail/sender.hpp"
#include "web/engine/server.hpp"
#include "web/https_redirect.hpp"
#include "web/openapi/documentation.hpp"
#include "web/router.hpp"
#include "web/service_manager.hpp"

namespace keyward::app {

class Application {
 public:
  /// Opens the core and binds the port, or takes the sockets that `manager` passes. The error is one sentence
  /// for the operator.
  static Result<std::unique_ptr<Application>> open(Config config, web::ServiceManager manager = {},
                                                   const Machine& machine = Machine::real());

  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  ~Application();

  /// Serves until a signal or stop(); true when everything in flight was finished.
  bool run();

  [[nodiscard]] const Config& config() const { return config_; }
  /// What answers requests: for who asks without a socket.
  [[nodiscard]] web::Handler& handler() { return router_; }
  [[nodiscard]] bool first_start() const { return core_->first_start; }
  /// The token that makes the first admin, if it was made just now: to be shown once.
  [[nodiscard]] const std::optional<Secret>& new_setup_token() const { return new_setup_token_; }

 private:
  Application(Config config, web::ServiceManager manager, std::unique_ptr<Core> core);
  Result<void> open_ports();
  Result<void> open_redirect(int passed_socket);
  Result<void> open_management();
  void construct_features(features::Providers providers, const Machine& machine);
  void construct_mail_flows();
  void construct_pages(features::Pages pages);
  void carry_out(storage::Transaction& transaction, const domain::DeferredRequest& request) const;
  void register_routes();  // routes.cpp: the one list
  void register_management_routes();

  Config config_;
  web::ServiceManager manager_;
  std::unique_ptr<Core> core_;
  std::optional<Secret> new_setup_token_;
  std::atomic<bool> moved_ = false;  // the database, to another place
  domain::SessionSettings session_settings_;
  domain::PasswordPolicy password_policy_;
  Sharing sharing_;
  domain::Limits limits_;
  domain::DeviceTokens device_tokens_;
  features::AddressLimits address_limits_;
  features::PasswordAttempts password_attempts_;
  domain::OneTimeTokens one_time_tokens_;
  domain::DeferredRequests deferred_requests_;
  std::atomic<bool> draining_ = false;
  web::Router router_;
  web::Router management_router_;
  std::unique_ptr<web::TlsCertificate> certificate_;
  std::unique_ptr<web::HttpsRedirect> redirect_;
  std::unique_ptr<web::Server> server_;
  std::unique_ptr<mail::Templates> templates_;
  std::unique_ptr<mail::Transport> mail_transport_;
  std::unique_ptr<mail::Sender> mail_sender_;
  std::unique_ptr<domain::TokenIssuer> tokens_;
  std::unique_ptr<domain::RefreshTokens> refresh_tokens_;
  std::unique_ptr<domain::PasswordHasher> hasher_;
  std::unique_ptr<access::TokenGate> gate_;
  std::unique_ptr<features::AccountMails> account_mails_;
  std::unique_ptr<features::CurrentPassword> current_password_;
  std::unique_ptr<features::OneTimeProofs> one_time_proofs_;
  std::unique_ptr<features::Registration> registration_;
  std::unique_ptr<features::NewSessions> new_sessions_;
  std::unique_ptr<features::Login> login_;
  std::unique_ptr<features::Refresh> refresh_;
  std::unique_ptr<features::Logout> logout_;
  std::unique_ptr<features::Sessions> sessions_;
  std::unique_ptr<features::Profile> profile_;
  std::unique_ptr<SocialLogins> social_;
  std::unique_ptr<features::EmailVerification> email_verification_;
  std::unique_ptr<features::PasswordReset> password_reset_;
  std::unique_ptr<features::EmailChange> email_change_;
  std::unique_ptr<features::Audit> audit_;
  std::unique_ptr<features::AdminUsers> admin_users_;
  std::unique_ptr<features::Roles> roles_;
  std::unique_ptr<features::Setup> setup_;
  std::unique_ptr<AccountPages> account_pages_;
  std::unique_ptr<features::Jwks> jwks_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<features::Health> health_;
  std::unique_ptr<DeferredWork> deferred_work_;
  web::openapi::Documentation documentation_;
};

}  // namespace keyward::app
