// The list of settings, described once: parsing, environment, template and `config show` all come from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "app/config/config.hpp"

namespace keyward::app {

/// Where a setting's value stands in a Config. The type decides how it is read, checked and shown.
using Target =
    std::variant<bool*, int*, std::size_t*, std::chrono::seconds*, std::string*, std::filesystem::path*,
                 LogLevel*, ListenAddress*, std::optional<ListenAddress>*, MasterKey*, StorageUrl*, Secret*,
                 web::TrustedProxies*, web::Cors*, std::vector<std::string>*>;

struct Setting {
  std::string_view key;                 // "section.name"
  std::string_view help;                // one line
  Target (*target)(Config&) = nullptr;  // one of these two
  Target (*provider_target)(ProviderConfig&) =
      nullptr;           // of a [providers.NAME]; `key` is its last part alone
  std::int64_t min = 0;  // of a number, or of seconds
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::span<const std::string_view> choices;  // of a text; empty: any
  bool is_public_url = false;                 // a text that must be an origin
  bool are_origins = false;                   // texts that must be
  bool has_lines = false;                     // a secret of several lines
  std::string_view derived_from;    // what stands in when it is not set, in words; empty: the default
  std::string_view short_variable;  // a second name in the environment
};

std::span<const Setting> settings();
/// Those of every [providers.NAME].
std::span<const Setting> provider_settings();
const Setting* find_setting(std::string_view key);

/// KEYWARD_SECTION_KEY
std::string variable_of(const Setting& setting);
bool is_secret(const Setting& setting);

/// A value as it came from a source. Files have types; flags and the environment have text for everything.
struct RawValue {
  // A list is one of texts, with commas between them.
  enum class Kind : std::uint8_t { untyped, text, integer, boolean, list, other };
  Kind kind = Kind::untyped;
  std::string text;
};

/// Puts the value in its place, or says what is allowed.
std::expected<void, std::string> assign(const Setting& setting, const Target& target, const RawValue& value);

/// The value as TOML would spell it; "" for nothing, "********" for a secret, or for that part of a URL.
std::string shown_value(const Target& target);

/// "a whole number from 1 to 16", for messages and for the template.
std::string allowed_values(const Setting& setting);

/// The known setting whose name is most like the given one.
std::string_view nearest_setting(std::string_view key);

}  // namespace keyward::app
