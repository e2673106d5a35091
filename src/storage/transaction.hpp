// Transaction: what a closure given to Database::read or ::write works with.
//
// A statement that fails spoils the transaction, as PostgreSQL has it: every further statement is a
// std::logic_error and the closure's changes are rolled back. A closure may catch a ConstraintViolation and
// return an error Result.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "storage/connection.hpp"
#include "storage/row.hpp"
#include "storage/sql.hpp"
#include "storage/value.hpp"

namespace keyward::storage {

/// What a closure leaves to be worked off at the end of its transaction; Finisher has its kinds.
class Note {
 public:
  Note() = default;
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;
  virtual ~Note() = default;
};

class Transaction;
/// The last statements of every transaction that has notes, once for all the closures that share it. If it
/// throws, none of them is done. `connection` numbers the connections of one Database from 0: what is kept
/// apart by it is never contended.
using Notes = std::vector<std::unique_ptr<Note>>;
using Finisher = std::function<void(Transaction& transaction, const Notes& notes, std::size_t connection)>;

class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() = default;

  /// The row, or nothing. A second row is a std::logic_error.
  template <RowType Row, class... Parameters>
  std::optional<Row> find(Sql sql, const Parameters&... parameters) {
    std::optional<Row> found;
    run<Row>(sql, {to_value(parameters)...}, [&](const Statement& statement) {
      if (found) refuse_row_count(sql, "more than one row");
      found.emplace(detail::read_row<Row>(statement));
    });
    return found;
  }

  /// The row, which must be there: else std::logic_error.
  template <RowType Row, class... Parameters>
  Row get(Sql sql, const Parameters&... parameters) {
    std::optional<Row> found = find<Row>(sql, parameters...);
    if (!found) refuse_row_count(sql, "no row");
    return std::move(*found);
  }

  template <RowType Row, class... Parameters>
  std::vector<Row> list(Sql sql, const Parameters&... parameters) {
    std::vector<Row> rows;
    run<Row>(sql, {to_value(parameters)...},
             [&](const Statement& statement) { rows.push_back(detail::read_row<Row>(statement)); });
    return rows;
  }

  /// How many rows were inserted, updated or deleted.
  template <class... Parameters>
  std::int64_t execute(Sql sql, const Parameters&... parameters) {
    const std::array<ValueView, sizeof...(Parameters)> values{to_value(parameters)...};
    Run run{*this, sql, values};
    while (run.statement.next()) {
    }
    failed_ = false;
    return run.statement.changed_rows();
  }

  /// The time of day by the clock that all who share the database share.
  [[nodiscard]] Time database_time() { return connection_.now(); }

  /// Runs `hook` on the database thread once the change is durable, before the caller of write() resumes;
  /// dropped when the closure is rolled back or run again. An exception from it is logged, not passed on.
  void after_commit(std::function<void()> hook) { hooks_.push_back(std::move(hook)); }

  /// Leaves something for the database's Finisher; dropped when the closure is rolled back or run again.
  void leave(std::unique_ptr<Note> note) { notes_.push_back(std::move(note)); }

 private:
  friend class Lane;
  friend struct SchemaAccess;

  /// A statement from start to finish; the transaction counts as failed until the caller says otherwise.
  struct Run {
    Run(Transaction& transaction, Sql sql, std::span<const ValueView> parameters);
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() { statement.finish(); }
    Statement& statement;
  };

  template <class Row, class EachRow>
  void run(Sql sql, std::initializer_list<ValueView> values, EachRow each_row) {
    Run run{*this, sql, std::span<const ValueView>{values.begin(), values.size()}};
    detail::check_row<Row>(run.statement, sql);
    while (run.statement.next()) each_row(std::as_const(run.statement));
    failed_ = false;
  }

  [[noreturn]] void refuse_row_count(Sql sql, const char* how_many);
  Statement& begin_statement(Sql sql);

  Connection& connection_;
  std::vector<std::function<void()>> hooks_;
  Notes notes_;
  bool failed_ = false;
};

}  // namespace keyward::storage
