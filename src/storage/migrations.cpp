#include "storage/migrations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe/class.hpp>
#include <charconv>
#include <stdexcept>
#include <string>

#include "base/log.hpp"
#include "embedded/migrations.hpp"

namespace keyward::storage {

/// The door from a transaction to its connection, for migrations alone.
struct SchemaAccess {
  static Connection& connection(Transaction& transaction) { return transaction.connection_; }
};

namespace {

struct Applied {
  std::int64_t number = 0;
  std::string name;
  std::string checksum;
  std::string kind;
};
BOOST_DESCRIBE_STRUCT(Applied, (), (number, name, checksum, kind))

/// Those before are of a time without rolling upgrades.
constexpr std::int64_t first_with_a_kind = 6;

/// From the file's first line.
MigrationKind parse_kind(const Migration& migration) {
  if (migration.number < first_with_a_kind) return MigrationKind::contract;
  if (migration.sql.starts_with("-- expand: ")) return MigrationKind::expand;
  if (migration.sql.starts_with("-- contract: ")) return MigrationKind::contract;
  throw std::logic_error(fmt::format(
      "migration {} does not begin with \"-- expand: …\" or \"-- contract: …\"", migration.number));
}

/// "0001_begin.sql"
Migration parse(const embedded::File& file) {
  Migration migration{.checksum_hex = file.sha256_hex, .sql = file.bytes};
  const std::string_view name = file.name;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), migration.number);
  if (error != std::errc{} || end != name.data() + 4 || !name.substr(4).starts_with('_') ||
      !name.ends_with(".sql")) {
    throw std::logic_error(fmt::format("a migration is named NNNN_name.sql: {}", name));
  }
  migration.name = name.substr(5, name.size() - 5 - 4);
  migration.kind = parse_kind(migration);
  return migration;
}

/// What is missing, or why nothing may be done.
Result<std::vector<Migration>> compare(const std::vector<Applied>& applied,
                                       std::span<const Migration> known) {
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const Applied& record = applied[i];
    if (record.number > static_cast<std::int64_t>(known.size())) {
      const bool is_next = record.number == static_cast<std::int64_t>(i) + 1;
      if (is_next && record.kind == to_string(MigrationKind::expand)) continue;
      return fail(
          ErrorCode::internal,
          fmt::format(
              "The database is newer than this program: it has migration {} ({}), and the program knows "
              "{} of them. Start the newer version again, or restore a backup made before the upgrade.",
              record.number, record.name, known.size()));
    }
    if (record.number != static_cast<std::int64_t>(i) + 1) {
      return fail(
          ErrorCode::internal,
          fmt::format(
              "The database lacks migration {} though it has {} ({}). Restore a backup: its schema is "
              "not one that any version made.",
              i + 1, record.number, record.name));
    }
    if (record.checksum != known[i].checksum_hex) {
      return fail(
          ErrorCode::internal,
          fmt::format(
              "Migration {} ({}) was run with another text than this program has. Start the version that "
              "made the database, or restore the file {:04}_{}.sql if you build Keyward yourself.",
              record.number, record.name, record.number, known[i].name));
    }
  }
  if (applied.size() > known.size()) return std::vector<Migration>{};  // newer, and good for us
  const auto missing = known.subspan(applied.size());
  return std::vector<Migration>{missing.begin(), missing.end()};
}

std::vector<Applied> list_applied(Transaction& transaction) {
  if (SchemaAccess::connection(transaction).has_column("schema_migrations", "kind")) {
    return transaction.list<Applied>(
        "SELECT number, name, checksum, kind FROM schema_migrations ORDER BY number");
  }
  return transaction.list<Applied>(
      "SELECT number, name, checksum, 'contract' AS kind FROM schema_migrations ORDER BY number");
}

constexpr std::string_view create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations (\n"
    "  number BIGINT PRIMARY KEY,\n"
    "  name TEXT NOT NULL,\n"
    "  checksum TEXT NOT NULL,\n"
    "  applied_at_us BIGINT NOT NULL,\n"
    "  kind TEXT NOT NULL DEFAULT 'contract'\n"
    ")";
/// For databases of a time without it.
constexpr std::string_view add_kind =
    "ALTER TABLE schema_migrations ADD COLUMN kind TEXT NOT NULL DEFAULT 'contract'";

void run(Connection& connection, Transaction& transaction, const Migration& migration, Time now) {
  connection.run_script(migration.sql);
  if (!connection.in_transaction()) {
    throw std::logic_error(fmt::format("migration {} ends its own transaction", migration.number));
  }
  transaction.execute(
      "INSERT INTO schema_migrations (number, name, checksum, applied_at_us, kind) "
      "VALUES ($1, $2, $3, $4, $5)",
      migration.number, migration.name, migration.checksum_hex, now, to_string(migration.kind));
}

/// Runs the first one missing, or all of them where there is none yet, and returns what it ran; an empty list
/// when nothing is missing. Other processes wait meanwhile.
Result<std::vector<Migration>> migrate_further(Transaction& transaction, Time now,
                                               std::span<const Migration> known) {
  Connection& connection = SchemaAccess::connection(transaction);
  try {
    connection.lock_schema();
  } catch (const Unavailable& late) {
    return fail(ErrorCode::unavailable, late.what());  // who waits at the start is told for whom
  }
  connection.run_script(create_table);
  if (!connection.has_column("schema_migrations", "kind")) connection.run_script(add_kind);
  const auto applied = list_applied(transaction);
  auto missing = compare(applied, known);
  if (!missing || missing->empty()) return missing;
  if (!applied.empty()) missing->resize(1);
  for (const Migration& next : *missing) run(connection, transaction, next, now);
  return missing;
}

/// Of a database that compare() had nothing against.
void tell_of_a_newer_schema(Database& database, std::size_t known) {
  const auto unknown = database.blocking_read([known](Transaction& transaction) {
    return transaction.get<std::int64_t>("SELECT count(*) FROM schema_migrations WHERE number > $1",
                                         static_cast<std::int64_t>(known));
  });
  if (unknown == 0) return;
  log(LogLevel::info, "database_is_newer",
      {{"migrations_unknown", std::to_string(unknown)}, {"kind", "expand"}});
}

}  // namespace

std::string_view to_string(MigrationKind kind) {
  return kind == MigrationKind::expand ? "expand" : "contract";
}

std::span<const Migration> built_in_migrations() {
  static const std::vector<Migration> all = [] {
    std::vector<Migration> list;
    for (const embedded::File& file : embedded::migrations()) {
      list.push_back(parse(file));
      if (list.back().number != static_cast<std::int64_t>(list.size())) {
        throw std::logic_error(fmt::format("the migrations are numbered without a gap: {}", file.name));
      }
    }
    return list;
  }();
  return all;
}

std::size_t count_missing_migrations(Transaction& transaction) {
  const auto applied = transaction.list<std::int64_t>("SELECT number FROM schema_migrations");
  return static_cast<std::size_t>(std::ranges::count_if(built_in_migrations(), [&](const Migration& known) {
    return std::ranges::find(applied, known.number) == applied.end();
  }));
}

Result<std::vector<Migration>> blocking_migrate(Database& database, Time now,
                                                std::span<const Migration> migrations) {
  auto planned = blocking_plan_migrations(database, migrations);
  if (!planned) return planned;
  if (planned->empty()) {  // the usual start takes no lock
    tell_of_a_newer_schema(database, migrations.size());
    return planned;
  }
  std::vector<Migration> done;
  while (true) {
    auto step = database.blocking_write(
        [&](Transaction& transaction) { return migrate_further(transaction, now, migrations); });
    if (!step) return step;
    for (const Migration& ran : *step) {
      log(LogLevel::info, "database_migrated", {{"number", std::to_string(ran.number)}, {"name", ran.name}});
      done.push_back(ran);
    }
    if (step->empty() || done.size() == planned->size()) return done;
  }
}

Result<std::vector<Migration>> blocking_plan_migrations(Database& database,
                                                        std::span<const Migration> migrations) {
  return database.blocking_read([&](Transaction& transaction) -> Result<std::vector<Migration>> {
    if (!SchemaAccess::connection(transaction).has_table("schema_migrations")) return compare({}, migrations);
    return compare(list_applied(transaction), migrations);
  });
}

Result<std::vector<Migration>> plan_migrations(DatabaseOptions options) {
  options.create = false;
  auto database = Database::open(options);
  if (database) return blocking_plan_migrations(**database);
  if (database.error().code != ErrorCode::not_found) return fail_from(database);
  const auto all = built_in_migrations();
  return std::vector<Migration>{all.begin(), all.end()};
}

}  // namespace keyward::storage
