// The seam between storage and an engine: Driver, Connection and Statement are all that an engine implements.
//
// A connection is used by one thread at a time. What goes wrong is thrown as errors.hpp has it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "storage/sql.hpp"
#include "storage/table.hpp"
#include "storage/value.hpp"

namespace keyward::storage {

enum class Access : std::uint8_t { read, write };

/// A prepared statement. It is run as start(), next() until false, finish().
class Statement {
 public:
  Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  virtual ~Statement() = default;

  /// $1 is the first parameter. What the views show must stay until finish().
  virtual void start(std::span<const ValueView> parameters) = 0;
  virtual bool next() = 0;
  [[nodiscard]] virtual ValueView column(std::size_t index) const = 0;
  /// Rows inserted, updated or deleted by the run that next() ended; those of a foreign key's action do not
  /// count.
  [[nodiscard]] virtual std::int64_t changed_rows() const = 0;
  virtual void finish() noexcept = 0;

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// The row type that the columns were last compared with; row.hpp's.
  const void* checked_for = nullptr;

 protected:
  std::vector<std::string> columns_;
};

class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual void begin() = 0;
  virtual void commit() = 0;
  /// Ends the transaction if there is one. When this fails too, usable() says so.
  virtual void rollback() noexcept = 0;
  /// There is one savepoint at a time.
  virtual void savepoint() = 0;
  virtual void release_savepoint() = 0;
  virtual void rollback_to_savepoint() = 0;

  /// False when the engine ended the transaction by itself (SQLite does when the disk is full).
  [[nodiscard]] virtual bool in_transaction() const = 0;
  /// False: throw this connection away and make another.
  [[nodiscard]] virtual bool usable() const = 0;

  /// Prepared once for each connection and literal.
  virtual Statement& prepare(Sql sql) = 0;
  /// Several statements without parameters, inside the transaction at hand; for migrations only.
  virtual void run_script(std::string_view script) = 0;
  [[nodiscard]] virtual bool has_table(std::string_view name) = 0;
  [[nodiscard]] virtual bool has_column(std::string_view table, std::string_view column) = 0;
  /// Keeps other processes from migrating until the transaction ends.
  virtual void lock_schema() = 0;

  /// The time of day by the clock that all who share the database share: no node's own.
  [[nodiscard]] virtual Time now() = 0;

  // What a move of the whole database needs beside that.
  /// Every table, those that others refer to first.
  [[nodiscard]] virtual std::vector<Table> list_tables() = 0;
  /// Nobody else writes to these until the transaction ends; reading goes on. The first thing in it.
  virtual void hold_writers(std::span<const std::string> tables) = 0;
  /// From the commit on every write to these is Unavailable, in whatever process, until allow_writes().
  virtual void refuse_writes(std::span<const std::string> tables) = 0;
  virtual void allow_writes(std::span<const std::string> tables) = 0;
  /// What stands behind a TEXT column so that it is compared by its bytes.
  [[nodiscard]] virtual std::string_view by_bytes() const = 0;
};

/// How many connections (and threads) serve one kind of access, how many closures share a transaction, and
/// how often a closure is run after a Conflict before its caller is told to come back later.
struct LaneShape {
  std::size_t connections = 1;
  std::size_t group_max = 1;
  int attempts_max = 5;
  bool threads = true;  // false: closures wait until somebody calls Lane::run_waiting (simulations)
};

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  [[nodiscard]] virtual LaneShape shape(Access access) const = 0;
  /// True: one write transaction at a time, whichever process it is of, so that no two meet on a row.
  [[nodiscard]] virtual bool writers_take_turns() const = 0;
  virtual std::unique_ptr<Connection> connect(Access access) = 0;

  // The time that lanes wait by; the machine's, unless a simulation has its own.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady_now() const;
  /// A while between nothing and `most`: it spreads threads and servers out.
  [[nodiscard]] virtual std::chrono::microseconds draw_pause(std::chrono::microseconds most) const;
  virtual void sleep_for(std::chrono::microseconds pause) const;
};

}  // namespace keyward::storage
