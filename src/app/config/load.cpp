#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "app/config/config.hpp"
#include "app/config/mail_check.hpp"
#include "app/config/move_variables.hpp"
#include "app/config/provider_check.hpp"
#include "app/config/provider_place.hpp"
#include "app/config/redis_check.hpp"
#include "app/config/secret_file.hpp"
#include "app/config/settings.hpp"
#include "app/config/toml_file.hpp"

namespace keyward::app {
namespace {

constexpr std::string_view prefix = "KEYWARD_";
constexpr std::string_view file_suffix = "_FILE";
constexpr std::string_view config_variable = "KEYWARD_CONFIG";

// Names that begin like ours and are no settings: the file to read, what `db move` and `db compare` take, the
// binary to start (scripts pass it on), and what Kubernetes puts into every pod beside a service that is
// called "keyward".
bool is_foreign(std::string_view name) {
  if (name == config_variable || name == move_variable || name == move_file_variable) return true;
  return name.starts_with("KEYWARD_SERVICE_") || name == "KEYWARD_PORT" || name.starts_with("KEYWARD_PORT_");
}

class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  std::expected<Config, std::vector<ConfigError>> load() {
    read_file();
    read_environment();
    for (const auto& [key, value] : sources_.flags) set(key, {RawValue::Kind::untyped, value}, "flag");
    if (errors_.empty()) derive();
    if (errors_.empty()) check_together();
    if (!errors_.empty()) return std::unexpected{std::move(errors_)};
    return std::move(config_);
  }

 private:
  void read_file() {
    std::filesystem::path file = sources_.file;
    for (const auto& [name, value] : sources_.environment) {
      if (file.empty() && name == config_variable) file = value;
    }
    if (file.empty()) return;
    auto entries = read_toml_file(file);
    if (!entries) {
      errors_.push_back(std::move(entries).error());
      return;
    }
    for (FileEntry& entry : *entries) {
      set(entry.key, entry.value, entry.origin);
      wipe(entry.value.text);
    }
  }

  void set(std::string_view key, const RawValue& value, const std::string& origin) {
    if (key.starts_with(providers_prefix)) {
      const auto place = find_provider_place(key);
      if (place) return set(*place, value, origin);
      errors_.push_back({std::string{key}, origin, place.error()});
      return;
    }
    const Setting* setting = find_setting(key);
    if (setting == nullptr && key.starts_with("provider.")) {
      errors_.push_back(
          {std::string{key}, origin,
           fmt::format("is no setting; did you mean providers.{}?", key.substr(key.find('.') + 1))});
      return;
    }
    if (setting == nullptr) {
      errors_.push_back(
          {std::string{key}, origin, fmt::format("is no setting; did you mean {}?", nearest_setting(key))});
      return;
    }
    put(std::string{key}, *setting, setting->target(config_), value, origin);
  }

  void set(const ProviderPlace& place, const RawValue& value, const std::string& origin) {
    auto& provider = config_.providers[place.name];
    put(place.key(), *place.setting, place.setting->provider_target(provider), value, origin);
  }

  void put(std::string key, const Setting& setting, const Target& target, const RawValue& value,
           const std::string& origin) {
    if (auto assigned = assign(setting, target, value); !assigned) {
      const bool hide = is_secret(setting) || value.kind == RawValue::Kind::other;
      const std::string given = hide ? std::string{} : fmt::format("is {} but ", to_log_json(value.text));
      errors_.push_back({std::move(key), origin, given + assigned.error()});
      return;
    }
    config_.origins.insert_or_assign(std::move(key), origin);
  }

  void read_environment() {
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with(prefix) || is_foreign(name)) continue;
      const std::string origin = "environment " + name;
      if (name.starts_with(providers_variable_prefix)) {
        read_provider_variable(name, value, origin);
      } else if (const Setting* setting = find_by_variable(name)) {
        set(setting->key, {RawValue::Kind::untyped, value}, origin);
      } else if (const Setting* secret = find_by_file_variable(name)) {
        set_from_secret_file(*secret, name, value);
      } else {
        errors_.push_back(
            {name, "environment", fmt::format("is no setting; did you mean {}?", nearest_variable(name))});
      }
    }
  }

  void read_provider_variable(const std::string& name, const std::string& value, const std::string& origin) {
    const auto place = find_provider_variable(name);
    if (!place) {
      errors_.push_back({name, "environment", place.error()});
    } else if (!place->is_file) {
      set(*place, {RawValue::Kind::untyped, value}, origin);
    } else if (has_variable(name.substr(0, name.size() - file_suffix.size()))) {
      errors_.push_back({place->key(), origin, "is given both as a value and as a file; give one"});
    } else if (const auto content = read_secret_file(value)) {
      set_secret(*content, [&](const RawValue& raw) { set(*place, raw, origin); });
    } else {
      errors_.push_back({place->key(), origin, "the file " + value + " cannot be read"});
    }
  }

  [[nodiscard]] bool has_variable(std::string_view name) const {
    return std::ranges::any_of(sources_.environment,
                               [&](const auto& variable) { return variable.first == name; });
  }

  template <class F>
  static void set_secret(const Secret& content, F set_raw) {
    RawValue value{RawValue::Kind::untyped, std::string{content.text()}};
    set_raw(value);
    wipe(value.text);
  }

  static const Setting* find_by_variable(std::string_view name) {
    const auto known = settings();
    const auto found = std::ranges::find_if(known, [&](const Setting& setting) {
      return name == variable_of(setting) ||
             (!setting.short_variable.empty() && name == setting.short_variable);
    });
    return found == known.end() ? nullptr : &*found;
  }

  static const Setting* find_by_file_variable(std::string_view name) {
    if (!name.ends_with(file_suffix)) return nullptr;
    const Setting* setting = find_by_variable(name.substr(0, name.size() - file_suffix.size()));
    return setting != nullptr && is_secret(*setting) ? setting : nullptr;
  }

  static std::string nearest_variable(std::string_view name) {
    // KEYWARD_SECTION_KEY back to section.key, as far as one can tell where the dot was.
    std::string key;
    for (const char c : name.substr(prefix.size()))
      key += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (const auto dot = key.find('_'); dot != std::string::npos) key[dot] = '.';
    return variable_of(*find_setting(nearest_setting(key)));
  }

  void set_from_secret_file(const Setting& setting, const std::string& name, const std::string& path) {
    const std::string origin = "environment " + name;
    if (has_plain_variable(setting)) {
      errors_.push_back(
          {std::string{setting.key}, origin, "is given both as a value and as a file; give one"});
      return;
    }
    const auto content = read_secret_file(path);
    if (!content) {
      errors_.push_back({std::string{setting.key}, origin, "the file " + path + " cannot be read"});
      return;
    }
    set_secret(*content, [&](const RawValue& value) { set(setting.key, value, origin); });
  }

  bool has_plain_variable(const Setting& setting) const {
    return std::ranges::any_of(sources_.environment, [&](const auto& variable) {
      return find_by_variable(variable.first) == &setting;
    });
  }

  void derive() {
    if (config_.server.public_url.empty())
      config_.server.public_url = public_url_of(config_.server.listen, has_tls(config_));
    if (config_.tokens.issuer.empty()) config_.tokens.issuer = config_.server.public_url;
    if (config_.tokens.audience.empty()) config_.tokens.audience = config_.tokens.issuer;
    // A derived http:// URL of an address that others can reach is worth the same warning.
    if (is_clear_text_url(config_.server.public_url)) {
      config_.warnings.push_back(
          fmt::format("server.public_url {} is not https: passwords cross the network in clear",
                      config_.server.public_url));
    }
    if (config_.mail.smtp_url.empty() && !is_of_this_machine(config_.server.public_url)) {
      config_.warnings.push_back(
          "mail.smtp_url is not set: nobody gets a mail, and links that work for accounts lie in files of "
          "the data folder's outbox");
    }
    if (is_redis_in_clear(config_)) {
      config_.warnings.push_back(
          "redis.url goes over the network in clear: whoever can listen reads its password (rediss://)");
    }
    if (is_open_to_impostors(config_.storage.url)) {
      config_.warnings.push_back(
          "storage.url names a PostgreSQL on the network and does not say sslmode=verify-full: whoever can "
          "stand between the two can pass for the database");
    }
  }

  // What no setting can say alone.
  void check_together() {
    constexpr std::size_t one_pass_memory_kib = 47104;  // P8, OWASP Password Storage
    if (config_.passwords.argon2_iterations < 2 &&
        config_.passwords.argon2_memory_kib < one_pass_memory_kib) {
      errors_.push_back(
          {"passwords.argon2_iterations", "",
           fmt::format("is 1, which needs passwords.argon2_memory_kib of at least {} (it is {})",
                       one_pass_memory_kib, config_.passwords.argon2_memory_kib)});
    }
    if (config_.tokens.refresh_absolute_s < config_.tokens.refresh_idle_s) {
      errors_.push_back(
          {"tokens.refresh_absolute_s", "",
           fmt::format("is {}, which is less than tokens.refresh_idle_s ({})",
                       config_.tokens.refresh_absolute_s.count(), config_.tokens.refresh_idle_s.count())});
    }
    check_tls();
    for (auto& error : check_mail(config_)) errors_.push_back(std::move(error));
    for (auto& error : check_redis(config_)) errors_.push_back(std::move(error));
    for (auto& error : check_providers(config_)) errors_.push_back(std::move(error));
  }

  void check_tls() {
    const auto& tls = config_.tls;
    const auto refuse = [&](std::string_view key, std::string message) {
      const auto origin = config_.origins.find(key);
      errors_.push_back(
          {std::string{key}, origin == config_.origins.end() ? "" : origin->second, std::move(message)});
    };
    if (tls.certificate.empty() != tls.key.empty())
      refuse(tls.key.empty() ? "tls.certificate" : "tls.key",
             tls.key.empty() ? "needs tls.key" : "needs tls.certificate");
    if (tls.development && !tls.certificate.empty())
      refuse("tls.development", "makes a certificate of its own: leave tls.certificate and tls.key out");
    if (tls.redirect_listen && !config_.server.public_url.starts_with("https://"))
      refuse("tls.redirect_listen", "redirects to server.public_url, which is not https");
    if (has_tls(config_) && !config_.server.public_url.starts_with("https://"))
      refuse("server.public_url", "must be https:// when the server speaks TLS itself");
  }

  const ConfigSources& sources_;
  Config config_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::expected<Config, std::vector<ConfigError>> load_config(const ConfigSources& sources) {
  return Loader{sources}.load();
}

bool has_tls(const Config& config) { return config.tls.development || !config.tls.certificate.empty(); }

std::string to_text(const ConfigError& error) {
  std::string text = error.setting;
  if (!error.origin.empty()) text += error.setting.empty() ? error.origin : " (" + error.origin + ")";
  return text + (error.setting.empty() ? ": " : " ") + error.message;
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !text.starts_with(prefix)) continue;
    variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

void use_bound_port(Config& config, std::uint16_t port) {
  const auto is_derived = [&](std::string_view key) { return !config.origins.contains(key); };
  config.server.listen.port = port;
  if (is_derived("server.public_url"))
    config.server.public_url = public_url_of(config.server.listen, has_tls(config));
  if (is_derived("tokens.issuer")) config.tokens.issuer = config.server.public_url;
  if (is_derived("tokens.audience")) config.tokens.audience = config.tokens.issuer;
}

}  // namespace keyward::app
