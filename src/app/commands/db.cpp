// keyward db move | compare | reopen
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "app/config/move_variables.hpp"
#include "app/config/secret_file.hpp"
#include "app/config/storage_url.hpp"
#include "base/bytes.hpp"
#include "crypto/digest.hpp"
#include "crypto/system_random.hpp"
#include "storage/move/move.hpp"

namespace keyward::app {

namespace json = boost::json;

namespace {

constexpr std::string_view hidden = "********";  // what to_text() has in the place of a password

/// postgres://…, a path, or sqlite:// before a path.
std::expected<StorageUrl, std::string> parse_target(std::string_view text) {
  if (constexpr std::string_view scheme = "sqlite://"; text.starts_with(scheme))
    text.remove_prefix(scheme.size());
  return parse_storage_url(text);
}

/// A target as it was given, and by what.
struct GivenTarget {
  std::string origin;
  Secret text;
};

std::expected<GivenTarget, std::string> from_file(std::string origin, const std::filesystem::path& path) {
  auto text = read_secret_file(path);
  if (!text) return std::unexpected{fmt::format("{}: the file {} cannot be read", origin, path.string())};
  return GivenTarget{std::move(origin), std::move(*text)};
}

std::expected<GivenTarget, std::string> find_target(const TargetFlags& flags) {
  if (!flags.to.empty()) return GivenTarget{"--to", Secret{flags.to}};
  if (!flags.to_file.empty()) return from_file("--to-file", flags.to_file);
  std::string given;
  std::expected<GivenTarget, std::string> found = std::unexpected{
      "where to? Give --to-file, KEYWARD_MOVE_TO_FILE or KEYWARD_MOVE_TO, or --to where there is no "
      "password"};
  for (const auto& [name, value] : process_environment()) {
    if (name != move_variable && name != move_file_variable) continue;
    if (!given.empty())
      return std::unexpected{fmt::format("{} and {} are both given; give one", given, name)};
    given = name;
    found = name == move_variable ? GivenTarget{name, Secret{value}} : from_file(name, value);
  }
  return found;
}

/// Complains when there is none that is good.
std::optional<StorageUrl> target_or_complain(const TargetFlags& flags) {
  const auto given = find_target(flags);
  if (!given) {
    complain(given.error());
    return std::nullopt;
  }
  auto target = parse_target(given->text.text());
  if (!target) {
    complain(given->origin + " " + target.error());
    return std::nullopt;
  }
  if (!flags.to.empty() && is_postgres(*target) && to_text(*target).contains(hidden))
    complain(
        "everybody on this machine can read the password behind --to; give it as --to-file or "
        "KEYWARD_MOVE_TO_FILE");
  return std::move(*target);
}

std::optional<storage::MoveOptions> to_move_options(const Config& config, const TargetFlags& flags) {
  auto target = target_or_complain(flags);
  if (!target) return std::nullopt;
  storage::MoveOptions options{.source = to_database_options(config),
                               .target = to_database_options(*target),
                               .source_shown = {},
                               .target_shown = to_text(*target),
                               .sha256 = crypto::sha256,
                               .progress = {}};
  options.source.create = false;
  options.source_shown =
      options.source.postgres_url.empty() ? options.source.path.string() : to_text(config.storage.url);
  return options;
}

json::object to_json(const storage::TableSummary& summary) {
  return {{"rows", summary.rows}, {"hash", to_hex(summary.hash)}};
}

/// Exit code: whether both sides are equal.
int print(const CommonFlags& flags, const storage::ComparedTables& tables) {
  const auto* difference = storage::find_difference(tables);
  if (flags.json) {
    json::array items;
    for (const auto& table : tables) {
      items.push_back(json::object{{"table", table.source.table},
                                   {"equal", table.source == table.target},
                                   {"source", to_json(table.source)},
                                   {"target", to_json(table.target)}});
    }
    fmt::print("{}\n", json::serialize(json::object{{"equal", difference == nullptr}, {"items", items}}));
  } else {
    for (const auto& [source, target] : tables) {
      fmt::print("{:22} {:>10} rows  {:.16}  {}\n", source.table, source.rows, to_hex(source.hash),
                 source == target
                     ? "equal"
                     : fmt::format("DIFFERS: {} rows  {:.16}", target.rows, to_hex(target.hash)));
    }
  }
  if (difference == nullptr) return exit_done;
  return complain(fmt::format("The two differ, in {} first.", difference->source.table));
}

}  // namespace

int db_move(const CommonFlags& flags, const TargetFlags& target, bool resume) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  auto options = to_move_options(*config, target);
  if (!options) return exit_usage;
  options->resume = resume;
  if (!flags.json) {
    options->progress = [](std::string_view table, std::size_t changed) {
      if (!table.empty()) fmt::print(stderr, "{} rows copied, now {}\n", changed, table);
    };
  }
  crypto::SystemRandom random;
  const auto moved = storage::blocking_move(*options, SystemClock{}, random);
  if (!moved) return complain(moved.error().message);
  const int code = print(flags, *moved);
  if (code == exit_done && !flags.json)
    fmt::print(stderr,
               "Moved. Servers of the old database have stopped: set storage.url to {} and start them.\n",
               options->target_shown);
  return code;
}

int db_compare(const CommonFlags& flags, const TargetFlags& target) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  auto options = to_move_options(*config, target);
  if (!options) return exit_usage;
  options->target.create = false;
  const auto compared = storage::blocking_compare(*options);
  if (!compared) return complain(compared.error().message);
  return print(flags, *compared);
}

int db_reopen(const CommonFlags& flags) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  auto options = to_database_options(*config);
  options.create = false;
  const auto reopened = storage::blocking_reopen(options);
  if (!reopened) return complain(reopened.error().message);
  fmt::print(stderr, "In use again, as it was when it moved.\n");
  return exit_done;
}

}  // namespace keyward::app
