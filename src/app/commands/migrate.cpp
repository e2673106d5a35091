// keyward migrate [--plan]
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "storage/migrations.hpp"
#include "storage/move/moves.hpp"

namespace keyward::app {

namespace json = boost::json;

namespace {

void print(const CommonFlags& flags, const std::vector<storage::Migration>& migrations,
           std::string_view nothing) {
  if (!flags.json) {
    for (const auto& migration : migrations)
      fmt::print("{:04}_{}  {}\n", migration.number, migration.name, to_string(migration.kind));
    if (migrations.empty()) fmt::print(stderr, "{}\n", nothing);
    return;
  }
  json::array items;
  for (const auto& migration : migrations) {
    items.push_back(json::object{{"number", migration.number},
                                 {"name", migration.name},
                                 {"kind", to_string(migration.kind)},
                                 {"checksum", migration.checksum_hex}});
  }
  fmt::print("{}\n", json::serialize(json::object{{"items", std::move(items)}, {"next", nullptr}}));
}

}  // namespace

int migrate(const CommonFlags& flags, bool plan_only) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  auto options = to_database_options(*config);
  options.reader_threads = options.writer_threads = 1;
  if (plan_only) {
    const auto plan = storage::plan_migrations(std::move(options));
    if (!plan) return complain(plan.error().message);
    print(flags, *plan, "Nothing to do.");
    return exit_done;
  }
  auto database = storage::Database::open(options);
  if (!database) return complain(database.error().message);
  if (const auto in_use = storage::blocking_check_in_use(**database); !in_use)
    return complain(in_use.error().message);
  const auto done = storage::blocking_migrate(**database, SystemClock{}.now());
  if (!done) return complain(done.error().message);
  print(flags, *done, "Nothing to do.");
  return exit_done;
}

}  // namespace keyward::app
