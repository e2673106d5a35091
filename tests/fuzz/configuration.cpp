// Configuration (app/config): a TOML file and the environment, as an operator or a container gives them.
//
// Lines `NAME=VALUE` up to an empty line are the environment, the rest is the file; the last byte adds two
// secrets. Must hold: what is wrong is told, each with a message, and no message shows a secret;
// settings that are taken, written out as they are shown, are the same settings.
#include "app/config/config.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "app/config/settings.hpp"
#include "crypto/digest.hpp"
#include "fuzz.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

/// A file without a place on the disk, whose contents can be given anew.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("keyward.toml", MFD_CLOEXEC)) {
    must_hold(file_ >= 0, "there is memory for a file");
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { close(file_); }

  std::string hold(std::string_view content) const {
    const bool written = ftruncate(file_, 0) == 0 && pwrite(file_, content.data(), content.size(), 0) ==
                                                         static_cast<ssize_t>(content.size());
    must_hold(written, "a file is written");
    return "/proc/self/fd/" + std::to_string(file_);
  }

 private:
  int file_;
};

bool is_of_a_file(std::string_view name) { return name.ends_with("_FILE") || name == "KEYWARD_CONFIG"; }

const MemoryFile& file() {
  static const MemoryFile memory;
  return memory;
}

/// In no input, so that whoever shows it shows a secret.
const std::string& secret() {
  static const std::string text = to_hex(crypto::sha256(as_bytes("a secret of the target configuration")));
  return text;
}

app::ConfigSources sources_of(Input given) {
  app::ConfigSources sources;
  if (given.flag()) {
    sources.environment = {{"KEYWARD_REDIS_URL", "redis://:" + secret() + "@127.0.0.1"},
                           {"KEYWARD_STORAGE_URL", "postgres://keyward:" + secret() + "@127.0.0.1/keyward"}};
  }
  while (true) {
    const auto line = given.line();
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) break;
    if (!is_of_a_file(line.substr(0, equals)))  // the disk is not part of the input
      sources.environment.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  sources.file = file().hold(given.rest());
  return sources;
}

void check_errors(const std::vector<app::ConfigError>& errors) {
  must_hold(!errors.empty(), "what is refused has a reason");
  for (const app::ConfigError& error : errors) {
    must_hold(!error.message.empty() && !app::to_text(error).empty(), "each with its message");
    must_hold(!app::to_text(error).contains(secret()), "no message shows a secret");
  }
}

/// What was given, as TOML spells it.
std::map<std::string, std::string> given_by(const app::Config& config) {
  std::map<std::string, std::string> values;
  for (const app::ShownSetting& shown : app::show_config(config)) {
    must_hold(!shown.value.contains(secret()), "no secret is shown");
    must_hold(text::is_utf8(shown.value), "what is shown is UTF-8");
    if (shown.origin != "default" && shown.origin != "derived") values.emplace(shown.key, shown.value);
  }
  return values;
}

void check_written(const std::map<std::string, std::string>& values) {
  app::ConfigSources sources;
  std::string text;
  for (const auto& [key, value] : values) {
    if (value.contains("********")) return;  // a secret cannot be written from what is shown
    text.append(key).append(" = ").append(value).append("\n");
  }
  sources.file = file().hold(text);
  const auto again = app::load_config(sources);
  must_hold(again.has_value(), "settings that were shown can be read");
  must_hold(given_by(*again) == values, "and are the same");
}

}  // namespace

KEYWARD_FUZZ_TARGET(configuration) {
  if (as_text(input).contains(secret())) return;  // libFuzzer looks at what is compared, and has learnt it
  const auto config = app::load_config(sources_of(Input{input}));
  if (!config) return check_errors(config.error());
  must_hold(!config->server.public_url.empty() && !config->tokens.issuer.empty(), "what is derived is there");
  check_written(given_by(*config));
}

}  // namespace keyward::fuzz
