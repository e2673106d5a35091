#include "app/application.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "app/give_back.hpp"
#include "app/mail_setup.hpp"
#include "app/mail_sweep.hpp"
#include "app/move_watch.hpp"
#include "app/providers.hpp"
#include "app/service_setup.hpp"
#include "app/session_sweep.hpp"
#include "app/setup_token_file.hpp"
#include "app/tls_setup.hpp"
#include "base/log.hpp"
#include "runtime/pause.hpp"
#include "storage/errors.hpp"

namespace keyward::app {

namespace {

web::ServerOptions to_server_options(const Config& config) {
  const auto& server = config.server;
  return {.host = server.listen.host,
          .port = server.listen.port,
          .loops = static_cast<unsigned>(server.loops),
          .body_max_bytes = server.body_max_bytes,
          .connections_max = server.connections_max,
          .connections_per_address_max = server.connections_per_address_max,
          .header_timeout = server.header_timeout_s,
          .body_timeout = server.body_timeout_s,
          .idle_timeout = server.idle_timeout_s,
          .write_timeout = server.write_timeout_s,
          .drain_deadline = server.drain_deadline_s,
          .drain_delay = server.drain_delay_s,
          .access_log = server.access_log,
          // Not for a developer's machine: browsers would refuse http://localhost for a year.
          .strict_transport_security = server.public_url.starts_with("https://") && !config.tls.development,
          .trusted_proxies = server.trusted_proxies,
          .proxy_header = server.proxy_header == "forwarded" ? web::ProxyHeader::forwarded
                                                             : web::ProxyHeader::x_forwarded_for};
}

std::uint64_t count_events(const web::ServerStatistics& of) {
  const auto ended = of.connections_accepted - of.connections_open;
  return of.requests + of.requests_refused + of.connections_accepted + ended;
}

/// What a broken world means to a client: come back later. Anything else is a 500.
std::optional<Error> to_error(const std::exception& exception) {
  if (dynamic_cast<const storage::Failure*>(&exception) == nullptr) return std::nullopt;
  return Error{ErrorCode::unavailable, "The database does not answer", exception.what(), {}, 2};
}

/// To this machine at the public address. Not where a proxy may stand on it, for whom everybody is local.
bool shows_metrics(const Config& config) {
  const auto& server = config.server;
  return !server.management_listen && server.trusted_proxies.empty() && is_of_this_machine(server.public_url);
}

features::Verification to_verification(const Config& config) {
  using enum features::Verification;
  const auto& word = config.registration.verification;
  return word == "required" ? required : word == "off" ? off : optional;
}

features::AccountMails::Dependencies to_account_mails(const Config& config, Core& core,
                                                      domain::OneTimeTokens& tokens) {
  return {
      .outbox = *core.outbox,
      .tokens = tokens,
      .events = *core.events,
      .clock = core.clock,
      .public_url = config.server.public_url,
      .mails_per_hour = config.limits.enabled
                            ? std::optional{static_cast<std::int64_t>(config.limits.account_mails_per_hour)}
                            : std::nullopt};
}

/// Whoever logged in while it was not required goes on when they have verified their address.
void end_unverified_sessions(Core& core) {
  const auto ended = core.database->blocking_write([&](storage::Transaction& transaction) {
    const auto count = domain::end_unverified_sessions(transaction, core.clock.now());
    if (count != 0) {
      core.events->record(transaction, {.name = "authn_token_revoked",
                                        .reason = "email_unverified",
                                        .detail = "sessions " + std::to_string(count)});
    }
    return count;
  });
  if (ended != 0) log(LogLevel::info, "unverified_sessions_ended", {{"count", std::to_string(ended)}});
}

/// Key rotation by age. A timer a minute wakes nobody who sleeps.
Task<void> maintain_keys(Core* core) {
  while (true) {
    try {
      co_await core->keys->maintain(&core->leases);
    } catch (const std::exception& exception) {
      log(LogLevel::error, "key_maintenance_failed", {{"reason", exception.what()}});
    }
    co_await pause(std::chrono::minutes{1});
  }
}

void checkpoint(Core& core, storage::Transaction& transaction) {
  const auto made = domain::make_checkpoint(transaction, *core.checkpoint_key, core.clock.now(), core.random);
  if (!made) return;
  transaction.after_commit([&core, line = domain::to_json_line(*made)] { core.events->print(line); });
}

/// Signs the ends of the audit chains once a minute, if there is anything new.
Task<void> make_checkpoints(Core* core) {
  while (true) {
    co_await pause(limits::audit_checkpoint_interval);
    try {
      const auto is_ours = [core](storage::Transaction& transaction) {
        return domain::is_checkpoint_due(transaction) &&
               !core->leases.is_held_by_another(transaction, domain::LeasedWork::audit_checkpoints);
      };
      if (!co_await core->database->read(is_ours)) continue;
      co_await core->database->write([core](storage::Transaction& transaction) {
        if (core->leases.take(transaction, domain::LeasedWork::audit_checkpoints))
          checkpoint(*core, transaction);
      });
    } catch (const std::exception& exception) {
      log(LogLevel::error, "audit_checkpoint_failed", {{"reason", exception.what()}});
    }
  }
}

/// What happened until now is what the next start is held against. Others need not wait for our leases.
void make_last_checkpoint(Core& core) {
  core.events->finish_rows();
  try {
    core.database->blocking_write([&](storage::Transaction& transaction) {
      checkpoint(core, transaction);
      core.leases.give_back(transaction);
    });
  } catch (const storage::Failure& failure) {
    log(LogLevel::error, "audit_checkpoint_failed", {{"reason", failure.what()}});
  }
}

}  // namespace

Result<std::unique_ptr<Application>> Application::open(Config config, web::ServiceManager manager,
                                                       const Machine& machine) {
  auto templates = load_templates(config);
  if (!templates) return fail_from(templates);
  auto pages = load_pages(config);
  if (!pages) return fail_from(pages);
  auto core = Core::open(config, machine.event_output, machine);
  if (!core) return fail_from(core);
  std::unique_ptr<Application> application{
      new Application(std::move(config), std::move(manager), std::move(*core))};
  if (auto started = application->sharing_.blocking_start(); !started) return fail_from(started);
  if (auto opened = application->open_ports(); !opened) return fail_from(opened);
  auto providers = load_providers(application->config_);  // their redirect URIs have the port
  if (!providers) return fail_from(providers);
  auto token = prepare_setup_token(*application->core_, setup_token_path(application->config_));
  if (!token) return fail_from(token);
  application->new_setup_token_ = std::move(*token);
  application->templates_ = std::make_unique<mail::Templates>(std::move(*templates));
  application->construct_features(std::move(*providers), machine);
  application->construct_pages(std::move(*pages));
  application->register_routes();
  application->register_management_routes();
  return application;
}

Result<void> Application::open_ports() {
  auto certificate = load_certificate(config_, core_->clock.now());
  if (!certificate) return fail_from(certificate);
  certificate_ = std::move(*certificate);
  auto options = to_server_options(config_);
  options.certificate = certificate_.get();
  options.at_drain = [this] {
    draining_ = true;
    manager_.tell_stopping();
  };
  auto passed = assign_passed_sockets(manager_, config_);
  if (!passed) return fail_from(passed);
  options.passed_socket = passed->server;
  auto server = web::Server::open(std::move(options), router_);
  if (!server) return fail_from(server);
  server_ = std::move(*server);
  use_bound_port(config_, server_->port());
  if (auto opened = open_management(); !opened) return fail_from(opened);
  return open_redirect(passed->redirect);
}

Result<void> Application::open_management() {
  if (!config_.server.management_listen) return {};
  auto& listen = *config_.server.management_listen;
  auto port = server_->listen_in_clear(listen.host, listen.port, management_router_);
  if (!port) return fail_from(port);
  listen.port = *port;
  return {};
}

Result<void> Application::open_redirect(int passed_socket) {
  if (!config_.tls.redirect_listen) return {};
  redirect_ = std::make_unique<web::HttpsRedirect>(config_.server.public_url);
  auto& listen = *config_.tls.redirect_listen;
  auto port = server_->listen_in_clear(listen.host, listen.port, *redirect_, passed_socket);
  if (!port) return fail_from(port);
  listen.port = *port;
  return {};
}

Application::Application(Config config, web::ServiceManager manager, std::unique_ptr<Core> core)
    : config_(std::move(config)),
      manager_(std::move(manager)),
      core_(std::move(core)),
      session_settings_(to_session_settings(config_)),
      password_policy_(to_password_policy(config_)),
      sharing_(config_, *core_),
      limits_(sharing_.rate_limiter(), core_->master_key->derive("limits 1"), to_limit_settings(config_)),
      device_tokens_(core_->master_key->derive("device 1")),
      address_limits_{limits_, *core_->events, core_->clock},
      password_attempts_({.limits = limits_,
                          .devices = device_tokens_,
                          .events = *core_->events,
                          .clock = core_->clock,
                          .random = core_->random,
                          .secure_cookies = config_.server.public_url.starts_with("https://")}),
      one_time_tokens_(*core_->master_key, core_->random),
      deferred_requests_(core_->clock, core_->random) {}

Application::~Application() {
  // What resumes callers on the loops is joined while the loops still stand.
  hasher_.reset();
  social_.reset();
  deferred_work_.reset();
  mail_sender_.reset();
  sharing_.stop();
  core_->close_database();
}

void Application::construct_features(features::Providers providers, const Machine& machine) {
  auto& core = *core_;
  tokens_ = std::make_unique<domain::TokenIssuer>(to_token_settings(config_));
  refresh_tokens_ = std::make_unique<domain::RefreshTokens>(*core.master_key);
  auto hashing = to_hasher_options(config_);
  hashing.weak = machine.weak_hashes;
  hasher_ = std::make_unique<domain::PasswordHasher>(hashing);
  gate_ = std::make_unique<access::TokenGate>(access::TokenGate::Dependencies{
      *core.database, *core.keys, *tokens_, *core.revisions, *core.events, core.clock});
  account_mails_ =
      std::make_unique<features::AccountMails>(to_account_mails(config_, core, one_time_tokens_));
  current_password_ = std::make_unique<features::CurrentPassword>(*hasher_, password_attempts_, *core.events);
  registration_ = std::make_unique<features::Registration>(
      *core.database, *hasher_, password_policy_, address_limits_, *account_mails_, one_time_tokens_,
      deferred_requests_, *core.events, core.clock, core.random, to_verification(config_));
  new_sessions_ = std::make_unique<features::NewSessions>(features::NewSessions::Dependencies{
      *core.database, *core.keys, *tokens_, *refresh_tokens_, *core.revisions, session_settings_,
      *account_mails_, *core.events, core.clock, core.random});
  login_ = std::make_unique<features::Login>(*core.database, *hasher_, *new_sessions_, password_attempts_,
                                             *core.events, core.clock,
                                             to_verification(config_) == features::Verification::required);
  refresh_ = std::make_unique<features::Refresh>(*core.database, *core.keys, *tokens_, *refresh_tokens_,
                                                 *core.revisions, session_settings_, address_limits_,
                                                 *account_mails_, *core.events, core.clock, core.random);
  logout_ = std::make_unique<features::Logout>(*core.database, *refresh_tokens_, *core.revisions,
                                               *core.events, core.clock);
  sessions_ = std::make_unique<features::Sessions>(*core.database, *core.revisions, *core.events, core.clock);
  profile_ =
      std::make_unique<features::Profile>(*core.database, *hasher_, password_policy_, *core.revisions,
                                          *current_password_, *account_mails_, *core.events, core.clock);
  audit_ = std::make_unique<features::Audit>(*core.database);
  admin_users_ =
      std::make_unique<features::AdminUsers>(*core.database, *core.revisions, *core.events, core.clock);
  roles_ = std::make_unique<features::Roles>(*core.database, *core.revisions, *core.events, core.clock);
  setup_ =
      std::make_unique<features::Setup>(*core.database, *hasher_, password_policy_, address_limits_,
                                        *core.events, core.clock, core.random, setup_token_path(config_));
  jwks_ = std::make_unique<features::Jwks>(*core.keys);
  health_ = std::make_unique<features::Health>(
      *core.database, draining_, [this] { return metrics_->text(); }, shows_metrics(config_));
  social_ = std::make_unique<SocialLogins>(
      config_, core, std::move(providers),
      SocialLogins::Uses{*new_sessions_, *current_password_, *account_mails_, address_limits_,
                         to_verification(config_) == features::Verification::required});
  construct_mail_flows();
  router_.provide(*gate_);
  router_.provide(*templates_);
  router_.map_exceptions(to_error);
  router_.let_read(config_.server.cors_origins);
  router_.is_reached_at(config_.server.public_url);
}

void Application::construct_mail_flows() {
  auto& core = *core_;
  mail_transport_ = make_transport(config_);
  mail_sender_ =
      std::make_unique<mail::Sender>(mail::Sender::Dependencies{*core.database, *core.outbox, *templates_,
                                                                *mail_transport_, core.clock, core.random},
                                     to_sender_settings(config_));
  metrics_ = std::make_unique<Metrics>(
      Metrics::Sources{*server_, router_, certificate_.get(), *core_->database, *hasher_, limits_,
                       *core_->events, *core_->keys, *tokens_, *refresh_tokens_, *login_, *registration_,
                       *refresh_, *social_, *mail_sender_, sharing_, core_->clock});
  one_time_proofs_ = std::make_unique<features::OneTimeProofs>(*core.database, one_time_tokens_,
                                                               address_limits_, *core.events, core.clock);
  email_verification_ = std::make_unique<features::EmailVerification>(
      *core.database, *one_time_proofs_, *account_mails_, one_time_tokens_, deferred_requests_,
      *core.revisions, address_limits_, *core.events, core.clock,
      to_verification(config_) != features::Verification::off);
  password_reset_ = std::make_unique<features::PasswordReset>(
      *core.database, *one_time_proofs_, *hasher_, password_policy_, *account_mails_, one_time_tokens_,
      deferred_requests_, *core.revisions, address_limits_, password_attempts_, *core.events, core.clock);
  email_change_ = std::make_unique<features::EmailChange>(
      *core.database, *one_time_proofs_, *current_password_, *account_mails_, one_time_tokens_,
      *core.revisions, *core.events, core.clock);
  deferred_work_ = std::make_unique<DeferredWork>(
      *core.database, deferred_requests_, core.clock,
      [this](storage::Transaction& transaction, const domain::DeferredRequest& request) {
        carry_out(transaction, request);
      });
}

void Application::construct_pages(features::Pages pages) {
  account_pages_ = std::make_unique<AccountPages>(
      std::move(pages), AccountPages::Operations{*password_reset_, *email_verification_, *email_change_});
}

void Application::carry_out(storage::Transaction& transaction, const domain::DeferredRequest& request) const {
  if (request.kind == domain::deferred_kind::registration) {
    registration_->carry_out(transaction, request);
  } else if (request.kind == domain::deferred_kind::resend_verification) {
    email_verification_->carry_out(transaction, request);
  } else if (request.kind == domain::deferred_kind::forgot_password) {
    password_reset_->carry_out(transaction, request);
  } else {
    throw std::runtime_error("a deferred request of an unknown kind: " + request.kind);  // a newer node's
  }
}

bool Application::run() {
  server_->stop_on_signals();  // before anybody is told that we are here
  if (config_.server.management_listen)
    log(LogLevel::info, "managing", {{"management_at", to_text(*config_.server.management_listen)}});
  log(LogLevel::info, "listening",
      {{"address", to_text(config_.server.listen)},
       {"public_url", config_.server.public_url},
       {"data", config_.storage.data.string()},
       {"version", KEYWARD_VERSION}});
  if (!config_.limits.enabled) log(LogLevel::warning, "rate_limits_are_off", {{"setting", "limits.enabled"}});
  for (const auto& warning : config_.warnings)
    log(LogLevel::warning, "configuration", {{"warning", warning}});
  core_->events->emit({.name = "sys_startup"});
  if (to_verification(config_) == features::Verification::required) end_unverified_sessions(*core_);
  if (config_.tls.redirect_listen)
    log(LogLevel::info, "redirecting", {{"redirects_at", to_text(*config_.tls.redirect_listen)}});
  if (certificate_)
    spawn(server_->executor(0), renew_certificate(certificate_.get(), &core_->clock), "certificate");
  spawn(server_->executor(0), maintain_keys(core_.get()), "key maintenance");
  spawn(server_->executor(0), make_checkpoints(core_.get()), "audit checkpoints");
  const Sweeping sweeping{core_->database.get(), &core_->leases, &core_->clock, &core_->random,
                          config_.storage.sweep_interval_s};
  spawn(server_->executor(0), sweep_sessions_now_and_then(sweeping), "session sweep");
  spawn(server_->executor(0), sweep_mails_now_and_then(sweeping, eml_folder(config_)), "mail sweep");
  if (sharing_.has_rows())
    spawn(server_->executor(0), sweep_counts_now_and_then(sweeping), "rate limit sweep");
  watch_for_a_move(*core_->database, [this] {
    moved_ = true;
    server_->stop();
  });
  deferred_work_->start();
  mail_sender_->start();
  GiveBack give_back{[this] { return count_events(server_->statistics()); }};
  give_back.start();
  start_watchdog(*server_, manager_);
  manager_.tell_ready();
  const bool drained = server_->run();
  if (!drained) log(LogLevel::warning, "drain_deadline_passed");
  deferred_work_->stop();
  mail_sender_->stop();
  core_->events->emit({.name = "sys_shutdown"});
  make_last_checkpoint(*core_);
  return drained && !moved_;
}

}  // namespace keyward::app
