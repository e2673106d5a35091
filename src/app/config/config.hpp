// Config: every setting of the server, with its default; and load_config(), which fills it.
//
// A setting can come from a flag, the environment (KEYWARD_SECTION_KEY; a secret also from the file that
// KEYWARD_SECTION_KEY_FILE names), the TOML file, or its default: the first of these that has it counts. What
// is not known is refused, never ignored: a misspelt `limits.enabeld = true` must not leave the limits off.
// All errors are told at once. The list of settings (bounds, help) is settings.cpp; the defaults are the
// members' initialisers here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/listen_address.hpp"
#include "app/config/storage_url.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "web/client_address.hpp"
#include "web/cors.hpp"

namespace keyward::app {

struct ServerConfig {
  ListenAddress listen;
  std::string public_url;  // an origin; derived from `listen` when not set
  std::size_t loops = 0;   // 0 = one per core
  std::size_t body_max_bytes = limits::http_body_max_bytes;
  std::size_t connections_max = limits::http_connections_max;
  std::size_t connections_per_address_max = limits::http_connections_per_address_max;
  std::chrono::seconds header_timeout_s = limits::http_header_timeout;
  std::chrono::seconds body_timeout_s = limits::http_body_timeout;
  std::chrono::seconds idle_timeout_s = limits::http_idle_timeout;
  std::chrono::seconds write_timeout_s = limits::http_write_timeout;
  std::chrono::seconds drain_deadline_s = limits::drain_deadline;
  std::chrono::seconds drain_delay_s{0};
  std::optional<ListenAddress> management_listen;
  bool access_log = false;
  web::TrustedProxies trusted_proxies;
  std::string proxy_header = "x-forwarded-for";  // or forwarded
  web::Cors cors_origins;
};

/// HTTPS at the listen address.
struct TlsConfig {
  std::filesystem::path certificate;  // none: HTTP
  std::filesystem::path key;
  bool development = false;  // a certificate of our own making, in the data folder
  std::optional<ListenAddress> redirect_listen;
};

struct StorageConfig {
  std::filesystem::path data = "./keyward-data";
  StorageUrl url;
  std::size_t readers = 2;
  std::size_t writers = 4;
  std::chrono::seconds sweep_interval_s{600};
};

/// For several nodes.
struct RedisConfig {
  Secret url;                     // none: no Redis
  std::filesystem::path ca_file;  // none: the system's
};

/// 32 bytes, or none.
struct MasterKey {
  static constexpr std::size_t size_bytes = 32;
  Secret bytes;
};

struct SecretsConfig {
  MasterKey master_key;  // none: made once in the data folder
};

struct TokensConfig {
  std::string issuer;    // the public URL when not set
  std::string audience;  // the issuer when not set
  std::chrono::seconds access_token_lifetime_s{900};
  std::string algorithm = "ES256";
  std::size_t key_max_age_days = 90;
  std::chrono::seconds refresh_idle_s{7 * 24 * 3600};
  std::chrono::seconds refresh_absolute_s{30 * 24 * 3600};
  std::chrono::seconds refresh_grace_s{10};
};

struct PasswordsConfig {
  std::size_t min_length = 8;  // code points
  int min_strength = 2;        // zxcvbn's scale, 0 to 4
  std::size_t argon2_memory_kib = 19456;
  std::size_t argon2_iterations = 2;
  std::size_t hash_threads = 0;  // 0 = one per core
  std::size_t queue_max = 256;
};

struct RegistrationConfig {
  std::string verification = "optional";  // of the e-mail address: off, optional or required
};

/// Where applications get people back from logins at providers.
struct SocialConfig {
  std::vector<std::string> return_to_origins;
};

/// A [providers.NAME]: somebody else's accounts that people log in with.
struct ProviderConfig {
  std::string type;  // of features::presets(); NAME when that is one, else oidc
  std::string issuer;
  std::string client_id;
  Secret client_secret;
  std::string client_authentication;
  Secret private_key;
  std::string key_id;
  std::string key_algorithm = "ES256";
  std::string team_id;
  std::string tenant;
  std::string scopes;
  std::string display_name;
  std::vector<std::string> trusted_domains;
  std::filesystem::path ca_file;  // none: the system's
  bool private_network = false;
  bool sign_up = true;
};

struct LimitsConfig {
  bool enabled = true;
  std::string store = "auto";         // memory, database or redis
  std::string fallback = "database";  // of redis, while it is away: database or memory
  std::size_t login_attempts = 5;     // for each account
  std::chrono::seconds login_window_s{900};
  std::size_t login_address_attempts = 100;  // the five from here on: for each client address
  std::size_t register_per_hour = 60;
  std::size_t refresh_per_minute = 600;
  std::size_t forgot_per_hour = 20;
  std::size_t proofs_per_minute = 60;
  std::size_t provider_logins_per_minute = 300;
  std::size_t account_mails_per_hour = 5;  // of one kind to one address of mail
};

struct AuditConfig {
  std::string email = "hashed";  // in events: off, hashed or plain
};

/// Mails: how they are sent, and what they say of us.
struct MailConfig {
  std::string smtp_url;  // none: mails are files in the data folder
  std::string username;
  Secret password;
  std::string from;
  std::filesystem::path ca_file;    // none: the system's
  std::filesystem::path templates;  // none: ours
  std::string locale = "en";
  std::string service_name = "Keyward";
  bool allow_clear_text = false;
  std::size_t threads = 2;
  std::chrono::seconds send_timeout_s{30};
  std::chrono::seconds poll_interval_s{30};
};

struct LogConfig {
  LogLevel level = LogLevel::info;
};

struct Config {
  ServerConfig server;
  TlsConfig tls;
  StorageConfig storage;
  RedisConfig redis;
  SecretsConfig secrets;
  TokensConfig tokens;
  PasswordsConfig passwords;
  RegistrationConfig registration;
  LimitsConfig limits;
  AuditConfig audit;
  MailConfig mail;
  LogConfig log;
  SocialConfig social;
  std::map<std::string, ProviderConfig, std::less<>> providers;

  std::map<std::string, std::string, std::less<>>
      origins;                        // setting → where its value came from; absent = default
  std::vector<std::string> warnings;  // to be logged at start
};

/// The listen address speaks TLS.
bool has_tls(const Config& config);

/// What one can set wrong, in words for the person who set it.
struct ConfigError {
  std::string setting;  // "server.listen", or the unknown name
  std::string
      origin;  // "keyward.toml:12", "environment KEYWARD_SERVER_LISTEN", "flag"; empty for several together
  std::string message;  // what is wrong and what is allowed; never the value of a secret
};
std::string to_text(const ConfigError& error);

struct ConfigSources {
  std::filesystem::path file;  // empty: KEYWARD_CONFIG of the environment, else none
  std::vector<std::pair<std::string, std::string>> environment;
  std::map<std::string, std::string, std::less<>> flags;  // setting ("server.listen") → value
};

std::expected<Config, std::vector<ConfigError>> load_config(const ConfigSources& sources);

/// The process's own environment, for ConfigSources.
std::vector<std::pair<std::string, std::string>> process_environment();

/// After binding to port 0: the port that the system chose, in the listen address and in all that was derived
/// from it.
void use_bound_port(Config& config, std::uint16_t port);

/// `config template`: a TOML file with every setting, its help and its default, commented out.
std::string config_template();

struct ShownSetting {
  std::string key;
  std::string value;   // "********" for a secret that is set, or for that part of a URL
  std::string origin;  // "default", "derived", "flag", "environment NAME", "FILE:LINE"
};
/// `config show`: the values in force.
std::vector<ShownSetting> show_config(const Config& config);

}  // namespace keyward::app
