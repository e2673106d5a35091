// What the file says of its tables, and who may write to them.
#include <fmt/format.h>
#include <sqlite3.h>

#include "storage/sqlite/connection.hpp"

namespace keyward::storage::sqlite {
namespace {

constexpr auto events = std::to_array<std::string_view>({"INSERT", "UPDATE", "DELETE"});

std::string text_of(const SqliteStatement& statement, std::size_t index) {
  return std::string{std::get<std::string_view>(statement.column(index))};
}

template <class EachRow>
void for_each_row(sqlite3* database, Sql sql, std::string_view parameter, EachRow each_row) {
  SqliteStatement statement{database, sql};
  const ValueView value = parameter;
  statement.start({&value, 1});
  while (statement.next()) each_row(std::as_const(statement));
}

}  // namespace

bool SqliteConnection::has_column(std::string_view table, std::string_view column) {
  bool found = false;
  for_each_row(database_.get(), "SELECT name FROM pragma_table_info($1)", table,
               [&](const SqliteStatement& row) { found = found || text_of(row, 0) == column; });
  return found;
}

/// All who share a file share the machine.
Time SqliteConnection::now() { return SystemClock{}.now(); }

std::vector<Table> SqliteConnection::list_tables() {
  std::vector<Table> tables;
  for_each_row(database_.get(),
               "SELECT name FROM sqlite_master WHERE type = $1 AND substr(name, 1, 7) <> 'sqlite_'", "table",
               [&](const SqliteStatement& row) { tables.push_back({text_of(row, 0), {}, {}}); });
  for (Table& table : tables) {
    for_each_row(database_.get(), "SELECT name, type, pk FROM pragma_table_info($1)", table.name,
                 [&](const SqliteStatement& row) {
                   const auto position = static_cast<std::size_t>(std::get<std::int64_t>(row.column(2)));
                   table.columns.push_back({text_of(row, 0), parse_column_kind(text_of(row, 1)), position});
                 });
    for_each_row(database_.get(), "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)", table.name,
                 [&](const SqliteStatement& row) { table.references.push_back(text_of(row, 0)); });
  }
  return in_order_of_reference(std::move(tables));
}

void SqliteConnection::refuse_writes(std::span<const std::string> tables) {
  for (const std::string& table : tables) {
    for (const std::string_view event : events) {
      run_script(
          fmt::format("CREATE TRIGGER IF NOT EXISTS \"moved_{0}_{1}\" BEFORE {1} ON \"{0}\" "
                      "BEGIN SELECT RAISE(ABORT, 'the database has moved'); END",
                      table, event));
    }
  }
}

void SqliteConnection::allow_writes(std::span<const std::string> tables) {
  for (const std::string& table : tables) {
    for (const std::string_view event : events)
      run_script(fmt::format("DROP TRIGGER IF EXISTS \"moved_{}_{}\"", table, event));
  }
}

}  // namespace keyward::storage::sqlite
