// keyward backup FILE
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands/command.hpp"
#include "storage/sqlite/backup.hpp"

namespace keyward::app {

int backup(const CommonFlags& flags, const std::filesystem::path& file) {
  const auto config = load_config_or_complain(flags);
  if (!config) return exit_failed;
  const auto options = to_database_options(*config);
  if (!options.postgres_url.empty()) {
    return complain("The database is PostgreSQL, which has its own: pg_dump --format=custom --file=FILE URL");
  }
  // Nothing is opened as the server opens it: a copy is made before an upgrade, not by one.
  const auto copied = storage::sqlite::blocking_backup(options.path, file);
  if (!copied) return complain(copied.error().message);
  if (config->secrets.master_key.bytes.empty()) {
    fmt::print(stderr, "The master key is not in it: keep {} too, in another place.\n",
               (config->storage.data / "master.key").string());
  }
  if (flags.json) {
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"file", file.string()}, {"bytes", *copied}}));
  } else {
    fmt::print("{}: {} bytes\n", file.string(), *copied);
  }
  return exit_done;
}

}  // namespace keyward::app
