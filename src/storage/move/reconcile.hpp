// Makes the tables of one database equal to those of another, whatever stands in them before.
//
// First what the target has and the source has not (or otherwise) is removed, those tables first that refer
// to others; then what is missing is inserted, the other way round. So no order of changes in between can run
// into a foreign key or a unique index, and a copy that was interrupted goes on where it was: rows that are
// there already are only compared. Memory: a page of each side.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/move/table_rows.hpp"

namespace keyward::storage {

/// SHA-256, which lives above storage.
using Sha256Function = std::function<std::array<std::uint8_t, 32>(BytesView)>;

/// All but those about the database itself: its migrations, leases and moves.
bool is_moved(const Table& table);

/// The statements of both sides, for every table that is moved.
class MovedTables {
 public:
  /// Throws std::logic_error when the two have not the same tables.
  MovedTables(Connection& source, Connection& target);

  [[nodiscard]] std::size_t size() const { return of_source_.size(); }
  [[nodiscard]] const TableStatements& of_source(std::size_t i) const { return of_source_.at(i); }
  [[nodiscard]] const TableStatements& of_target(std::size_t i) const { return of_target_.at(i); }
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::deque<TableStatements> of_source_, of_target_;  // in order of reference
};

/// Told of each commit on the target: the table, and the rows changed so far.
using MoveProgress = std::function<void(std::string_view table, std::size_t changed)>;
/// The first thing in each transaction on the target; throws when nothing may be done in it.
using MoveGate = std::function<void(Connection& target)>;

/// Rows removed and inserted. `source` is in a transaction that sees one state; `target` is in none, and
/// commits now and then.
std::size_t reconcile(const MovedTables& tables, Connection& source, Connection& target, const MoveGate& gate,
                      const MoveProgress& progress);

struct TableSummary {
  std::string table;
  std::size_t rows = 0;
  std::array<std::uint8_t, 32> hash{};  // of all rows, in the order of their keys
  bool operator==(const TableSummary&) const = default;
};

struct ComparedTable {
  TableSummary source, target;
};
using ComparedTables = std::vector<ComparedTable>;
/// Walks both sides at once, so that neither waits in its transaction for the other to come to its end.
ComparedTables compare(const MovedTables& tables, Connection& source, Connection& target,
                       const Sha256Function& sha256);

}  // namespace keyward::storage
