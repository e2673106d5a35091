// What the server says of our tables, and who may write to them.
#include <fmt/format.h>

#include "base/limits.hpp"
#include "storage/errors.hpp"
#include "storage/postgres/connection.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

std::string text_of(const Statement& statement, std::size_t index) {
  return std::string{std::get<std::string_view>(statement.column(index))};
}

template <class EachRow>
void for_each_row(Link& link, std::string name, Sql sql, std::span<const ValueView> parameters,
                  EachRow each_row) {
  PostgresStatement statement{link, std::move(name), sql};
  statement.start(parameters);
  while (statement.next()) each_row(std::as_const(statement));
}

}  // namespace

std::string PostgresConnection::new_statement_name() { return fmt::format("kw{}", ++statements_made_); }

bool PostgresConnection::has_column(std::string_view table, std::string_view column) {
  const std::array<ValueView, 2> values{table, column};
  bool found = false;
  for_each_row(link_, new_statement_name(),
               "SELECT 1::bigint FROM pg_attribute WHERE attrelid = to_regclass($1::text) AND attname = "
               "$2::text AND NOT attisdropped",
               values, [&](const Statement&) { found = true; });
  return found;
}

Time PostgresConnection::now() {
  Statement& statement = prepare("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
  statement.start({});
  if (!statement.next()) throw Failure("PostgreSQL does not tell the time");
  const auto now_us = std::get<std::int64_t>(statement.column(0));
  statement.finish();
  return Time{microseconds{now_us}};
}

std::vector<Table> PostgresConnection::list_tables() {
  std::vector<Table> tables;
  for_each_row(link_, new_statement_name(),
               "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = "
               "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
               {}, [&](const Statement& row) { tables.push_back({text_of(row, 0), {}, {}}); });
  for (Table& table : tables) {
    const ValueView name = std::string_view{table.name};
    for_each_row(link_, new_statement_name(),
                 "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod)::text, coalesce((SELECT "
                 "array_position(k.conkey, a.attnum) FROM pg_constraint k WHERE k.conrelid = a.attrelid AND "
                 "k.contype = 'p'), 0)::bigint FROM pg_attribute a WHERE a.attrelid = "
                 "to_regclass(quote_ident($1::text)) AND a.attnum > 0 AND NOT a.attisdropped",
                 {&name, 1}, [&](const Statement& row) {
                   const auto position = static_cast<std::size_t>(std::get<std::int64_t>(row.column(2)));
                   table.columns.push_back({text_of(row, 0), parse_column_kind(text_of(row, 1)), position});
                 });
    for_each_row(
        link_, new_statement_name(),
        "SELECT DISTINCT c.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid "
        "WHERE k.contype = 'f' AND k.conrelid = to_regclass(quote_ident($1::text))",
        {&name, 1}, [&](const Statement& row) { table.references.push_back(text_of(row, 0)); });
  }
  return in_order_of_reference(std::move(tables));
}

void PostgresConnection::hold_writers(std::span<const std::string> tables) {
  std::string names;
  for (const std::string& table : tables) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", table);
  const std::chrono::milliseconds wait = limits::move_lock_wait;
  run(fmt::format("SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = 0", wait.count()).c_str());
  run(fmt::format("LOCK TABLE {} IN EXCLUSIVE MODE", names).c_str(), wait + limits::postgres_answer_margin);
}

void PostgresConnection::refuse_writes(std::span<const std::string> tables) {
  // 57P03 is what a server says that cannot be used now.
  run("CREATE OR REPLACE FUNCTION keyward_moved() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'the database has moved' USING ERRCODE = '57P03'; END $$");
  for (const std::string& table : tables) {
    run(fmt::format("CREATE OR REPLACE TRIGGER keyward_moved BEFORE INSERT OR UPDATE OR DELETE ON \"{}\" "
                    "FOR EACH STATEMENT EXECUTE FUNCTION keyward_moved()",
                    table)
            .c_str());
  }
}

void PostgresConnection::allow_writes(std::span<const std::string> tables) {
  for (const std::string& table : tables)
    run(fmt::format("DROP TRIGGER IF EXISTS keyward_moved ON \"{}\"", table).c_str());
}

}  // namespace keyward::storage::postgres
