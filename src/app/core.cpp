#include "app/core.hpp"

#include "app/mail_setup.hpp"
#include "app/master_key_file.hpp"
#include "crypto/system_random.hpp"
#include "protocol/jose/algorithm.hpp"
#include "storage/migrations.hpp"
#include "storage/move/moves.hpp"
#include "storage/sqlite/data_folder.hpp"

namespace keyward::app {

domain::KeySettings to_key_settings(const Config& config) {
  return {.algorithm = protocol::jose::parse_algorithm(config.tokens.algorithm).value(),
          .max_age = std::chrono::days{config.tokens.key_max_age_days}};
}

domain::TokenSettings to_token_settings(const Config& config) {
  return {.issuer = config.tokens.issuer,
          .audience = config.tokens.audience,
          .access_token_lifetime = config.tokens.access_token_lifetime_s};
}

domain::SessionSettings to_session_settings(const Config& config) {
  return {.idle_lifetime = config.tokens.refresh_idle_s,
          .absolute_lifetime = config.tokens.refresh_absolute_s,
          .refresh_grace = config.tokens.refresh_grace_s};
}

domain::PasswordPolicy to_password_policy(const Config& config) {
  // zxcvbn's scale (0 to 4) as the guesses at which each step begins.
  constexpr std::array<double, 5> guesses_log10{0, 3, 6, 8, 10};
  return {.min_code_points = config.passwords.min_length,
          .min_guesses_log10 = guesses_log10.at(static_cast<std::size_t>(config.passwords.min_strength))};
}

domain::PasswordHasherOptions to_hasher_options(const Config& config) {
  domain::PasswordHasherOptions options;
  options.argon2.memory_kib = static_cast<std::uint32_t>(config.passwords.argon2_memory_kib);
  options.argon2.passes = static_cast<std::uint32_t>(config.passwords.argon2_iterations);
  options.threads = config.passwords.hash_threads;
  options.queue_max = config.passwords.queue_max;
  return options;
}

domain::LimitSettings to_limit_settings(const Config& config) {
  const auto& limits = config.limits;  // each is below 2^32: settings.cpp has the bounds
  return {.enabled = limits.enabled,
          .login_attempts = static_cast<std::uint32_t>(limits.login_attempts),
          .login_window = limits.login_window_s,
          .login_address_attempts = static_cast<std::uint32_t>(limits.login_address_attempts),
          .register_per_hour = static_cast<std::uint32_t>(limits.register_per_hour),
          .refresh_per_minute = static_cast<std::uint32_t>(limits.refresh_per_minute),
          .forgot_per_hour = static_cast<std::uint32_t>(limits.forgot_per_hour),
          .proofs_per_minute = static_cast<std::uint32_t>(limits.proofs_per_minute),
          .provider_logins_per_minute = static_cast<std::uint32_t>(limits.provider_logins_per_minute)};
}

storage::DatabaseOptions to_database_options(const Config& config) {
  storage::DatabaseOptions options{.path = config.storage.data / "keyward.db",
                                   .reader_threads = config.storage.readers,
                                   .writer_threads = config.storage.writers};
  const StorageUrl& url = config.storage.url;
  if (is_postgres(url)) {
    options.postgres_url = url.text.copy();
  } else if (!url.text.empty()) {
    options.path = url.text.text();
  }
  return options;
}

storage::DatabaseOptions to_database_options(const StorageUrl& url) {
  storage::DatabaseOptions options;
  if (is_postgres(url)) {
    options.postgres_url = url.text.copy();
  } else {
    options.path = url.text.text();
  }
  return options;
}

domain::EmailInEvents to_email_in_events(const Config& config) {
  using enum domain::EmailInEvents;
  return config.audit.email == "plain" ? plain : config.audit.email == "off" ? off : hashed;
}

void Core::close_database() {
  if (events) events->finish_rows();
  database.reset();
}

Machine Machine::real() {
  static const SystemClock clock;
  static crypto::SystemRandom random;
  return {clock, random};
}

Result<std::unique_ptr<Core>> Core::open(const Config& config, int event_output, const Machine& machine) {
  auto core = std::make_unique<Core>(machine);

  // The database may lie elsewhere: the folder is for the master key and the revisions too.
  if (auto made = storage::sqlite::make_folder(config.storage.data); !made) return fail_from(made);
  auto database = storage::Database::open(to_database_options(config));
  if (!database) return fail_from(database);
  core->database = std::move(*database);
  auto in_use = storage::blocking_check_in_use(*core->database);
  if (!in_use) return fail_from(in_use);
  auto migrated = storage::blocking_migrate(*core->database, core->clock.now());
  if (!migrated) return fail_from(migrated);
  core->first_start = !migrated->empty() && migrated->front().number == 1;

  auto revisions = domain::Revisions::open(config.storage.data);
  if (!revisions) return fail_from(revisions);
  core->revisions = std::move(*revisions);

  const bool nothing_is_sealed = core->database->blocking_read(domain::list_signing_keys).empty();
  auto master_key = load_master_key(config, config.storage.data, nothing_is_sealed, core->random);
  if (!master_key) return fail_from(master_key);
  core->master_key = std::make_unique<crypto::MasterKey>(std::move(*master_key));

  core->audit =
      std::make_unique<domain::AuditTrail>(*core->master_key, to_email_in_events(config), core->random);
  core->audit->attach(*core->database);
  core->events =
      std::make_unique<domain::EventLog>(event_output, core->audit.get(), core->database.get(), core->clock);
  core->outbox = std::make_unique<mail::Outbox>(*core->master_key, core->clock, core->random,
                                                to_outbox_settings(config));
  core->checkpoint_key = std::make_unique<domain::CheckpointKey>(*core->master_key);

  core->keys = std::make_unique<domain::KeyRing>(
      domain::KeyRing::Dependencies{*core->database, *core->master_key, *core->revisions, *core->events,
                                    core->clock, core->random},
      to_key_settings(config));
  if (auto opened = core->keys->blocking_open(); !opened) return fail_from(opened);
  return core;
}

}  // namespace keyward::app
