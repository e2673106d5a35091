// Migrations (storage/migrations): file names and texts, and what a database says was run.
//
// Two lines are the name and the text of a file; the rest are records of a table. Must hold: a name that is
// taken is the very name that its number and its word make; a database that another program or an accident
// changed is refused with a sentence, and what is to be run of a good one is exactly what is missing.
#include "storage/migrations.hpp"

#include <fmt/format.h>

#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

using namespace storage;

void check_file(std::string_view name, std::string_view text) {
  try {
    const Migration migration = parse_migration(name, text);
    must_hold(fmt::format("{:04}_{}.sql", migration.number, migration.name) == name,
              "a name is made of its parts");
    must_hold(migration.sql == text, "a text stays as it is");
    const bool expands = text.starts_with("-- expand: ");
    must_hold(migration.kind == MigrationKind::contract || (expands && migration.number >= 6),
              "its kind is said in it");
  } catch (const Violation&) {
    throw;
  } catch (const std::logic_error& refused) {
    must_hold(std::string_view{refused.what()}.contains("migration"), "a refusal says what a migration is");
  }
}

AppliedMigration some_record(Input& given, std::int64_t next) {
  const auto known = built_in_migrations();
  const std::uint8_t how = given.byte();
  AppliedMigration record{
      .number = (how & 1U) != 0 ? given.int64() : next, .name{}, .checksum{}, .kind = "expand"};
  record.name = given.line();
  const bool is_known = record.number >= 1 && record.number <= static_cast<std::int64_t>(known.size());
  if (is_known && (how & 2U) == 0)
    record.checksum = known[static_cast<std::size_t>(record.number - 1)].checksum_hex;
  if ((how & 4U) != 0) record.kind = given.line();
  return record;
}

void check_records(Input given) {
  const auto known = built_in_migrations();
  std::vector<AppliedMigration> applied;
  while (!given.empty() && applied.size() < 16) {
    applied.push_back(some_record(given, static_cast<std::int64_t>(applied.size()) + 1));
  }
  const auto missing = compare_migrations(applied, known);
  if (!missing) {
    must_hold(!missing.error().message.empty() && missing.error().code == ErrorCode::internal,
              "a refusal is a sentence");
    return;
  }
  must_hold(missing->size() + std::min(applied.size(), known.size()) == known.size(),
            "what is missing is the rest");
  for (std::size_t i = 0; i < applied.size(); ++i) {
    must_hold(applied[i].number == static_cast<std::int64_t>(i) + 1, "there is no gap");
    must_hold(i >= known.size() || applied[i].checksum == known[i].checksum_hex, "no text was edited");
    must_hold(i < known.size() || applied[i].kind == "expand", "what is not known expands");
  }
}

}  // namespace

KEYWARD_FUZZ_TARGET(migrations) {
  Input given{input};
  const std::string_view name = given.line();
  const std::string_view text = given.line();
  check_file(name, text);
  check_records(given);
}

}  // namespace keyward::fuzz
