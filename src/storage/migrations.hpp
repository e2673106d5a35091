// Migrations: the schema, as numbered files that are part of the binary and run at start.
//
// migrations/NNNN_name.sql, numbered from 1 without a gap; each runs in one transaction with its record in
// the table schema_migrations, under a lock that keeps other processes out; on a new database all of them in
// one, since each commit waits for the disk. A file that was released is never edited: its SHA-256 is recorded
// and compared.
//
// Rolling upgrades: from 0006 on each file's first line says whether the release before it may go on working
// beside it (`-- expand: …`: only additions that an older program does not notice) or not (`-- contract: …`).
// The record keeps that, so an older program that meets migrations which it does not know starts if all of
// them expand, and refuses the database if one of them contracts. docs/operations.md has the order.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "storage/database.hpp"

namespace keyward::storage {

enum class MigrationKind : std::uint8_t { contract, expand };

struct Migration {
  std::int64_t number = 0;
  std::string_view name;          // "begin" for 0001_begin.sql
  std::string_view checksum_hex;  // SHA-256
  std::string_view sql;
  MigrationKind kind = MigrationKind::contract;
};

std::string_view to_string(MigrationKind kind);

/// Those of src/storage/migrations, in order.
std::span<const Migration> built_in_migrations();

/// Runs what is missing and returns it: nothing of a database that is newer and may be used all the same.
/// Refuses with a sentence a database that is too new for this program, one whose recorded migrations differ
/// from the program's, and one with a gap. For start-up: blocks.
Result<std::vector<Migration>> blocking_migrate(
    Database& database, Time now, std::span<const Migration> migrations = built_in_migrations());

/// Those of this program that the database has no record of.
std::size_t count_missing_migrations(Transaction& transaction);

/// What blocking_migrate would run; changes nothing.
Result<std::vector<Migration>> blocking_plan_migrations(
    Database& database, std::span<const Migration> migrations = built_in_migrations());
/// The same without a database at hand: all of them where there is none yet.
Result<std::vector<Migration>> plan_migrations(DatabaseOptions options);

}  // namespace keyward::storage
