// The rows of any table, page by page, in an order that is the same in every engine: by the bytes of the key.
//
// A value is what both engines can tell apart: a BOOLEAN is 0 or 1, as SQLite has it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "storage/connection.hpp"
#include "storage/errors.hpp"
#include "storage/move/built_sql.hpp"
#include "storage/table.hpp"

namespace keyward::storage {

using MovedValue = std::variant<std::monostate, std::int64_t, std::string, Bytes>;
/// In the order of the table's columns.
using MovedRow = std::vector<MovedValue>;

/// The columns of the primary key, in its order. A table without one is a std::logic_error.
std::vector<std::size_t> key_columns(const Table& table);
/// By the key alone: below 0, 0, above 0.
int compare_keys(const Table& table, const MovedRow& a, const MovedRow& b);
/// The same bytes for the same row in every engine; no two rows have the same.
Bytes canonical_bytes(const MovedRow& row);

/// Runs `f`, and what fails says on which side.
template <class F>
auto on_side(std::string_view side, F f) -> decltype(f()) {
  const auto say = [&](const Failure& what) { return std::string{side} + ": " + what.what(); };
  try {
    return f();
  } catch (const Conflict& conflict) {
    throw Conflict(say(conflict));
  } catch (const Unavailable& busy) {
    throw Unavailable(say(busy));
  } catch (const Failure& failure) {
    throw Failure(say(failure));
  }
}

/// The statements for one table, in one engine's words. `side` stands before what fails.
class TableStatements {
 public:
  TableStatements(const Table& table, std::string_view by_bytes, std::string_view side);

  [[nodiscard]] const Table& table() const { return table_; }
  [[nodiscard]] std::size_t rows_of_an_insert() const { return insert_rows_; }

  /// Up to limits::move_page_rows rows; those behind `after`, or the first ones.
  std::vector<MovedRow> read_page(Connection& connection, const MovedRow* after) const;
  /// One or rows_of_an_insert() of them.
  void insert(Connection& connection, std::span<const MovedRow> rows) const;
  void remove(Connection& connection, const MovedRow& row) const;
  [[nodiscard]] bool is_empty(Connection& connection) const;

 private:
  const Table table_;
  const std::string side_;
  const std::vector<std::size_t> key_;
  const std::size_t insert_rows_;
  const BuiltSql first_page_, next_page_, insert_one_, insert_many_, remove_;
};

/// A walk along a table. Rows that are inserted or removed behind it meanwhile do not disturb it.
class TableWalk {
 public:
  TableWalk(const TableStatements& statements, Connection& connection)
      : statements_(statements), connection_(connection) {}

  /// The row that it stands at; null at the end.
  const MovedRow* peek();
  void advance() { ++at_; }

 private:
  const TableStatements& statements_;
  Connection& connection_;
  std::vector<MovedRow> page_;
  std::size_t at_ = 0;
  bool at_last_page_ = false;
  bool started_ = false;
};

}  // namespace keyward::storage
