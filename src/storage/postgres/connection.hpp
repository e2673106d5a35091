// One connection to a PostgreSQL server, with its prepared statements.
//
// Migrations are kept apart by a lock of the server (an advisory lock of the session): its owner is named by
// application_name, "keyward HOST:PID", and its lease is the connection, with which it ends, however that
// ends. Who waits too long for it is told who holds it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/secret.hpp"
#include "storage/connection.hpp"
#include "storage/postgres/statement.hpp"

namespace keyward::storage::postgres {

class PostgresConnection final : public Connection {
 public:
  /// Throws Unavailable when there is no connection to be had, Failure when the server is not one for us;
  /// both with a sentence for the person who starts the server.
  PostgresConnection(const Secret& url, Access access, std::chrono::milliseconds answer_limit);
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  ~PostgresConnection() override;

  void begin() override;
  /// Failure when the server does not say whether it was done: nobody knows.
  void commit() override;
  void rollback() noexcept override;
  void savepoint() override { run("SAVEPOINT closure"); }
  void release_savepoint() override { run("RELEASE SAVEPOINT closure"); }
  void rollback_to_savepoint() override { run("ROLLBACK TO SAVEPOINT closure"); }
  [[nodiscard]] bool in_transaction() const override;
  [[nodiscard]] bool usable() const override;
  Statement& prepare(Sql sql) override;
  void run_script(std::string_view script) override;
  [[nodiscard]] bool has_table(std::string_view name) override;
  [[nodiscard]] bool has_column(std::string_view table, std::string_view column) override;
  /// The first thing in its transaction.
  void lock_schema() override;
  [[nodiscard]] Time now() override;
  [[nodiscard]] std::vector<Table> list_tables() override;
  void hold_writers(std::span<const std::string> tables) override;
  void refuse_writes(std::span<const std::string> tables) override;
  void allow_writes(std::span<const std::string> tables) override;
  [[nodiscard]] std::string_view by_bytes() const override { return " COLLATE \"C\""; }

 private:
  void check_server() const;
  void configure();
  /// One or more statements without parameters.
  ResultHandle run(const char* sql) { return run(sql, link_.answer_limit); }
  ResultHandle run(const char* sql, std::chrono::milliseconds limit);
  void unlock_schema() noexcept;
  std::string new_statement_name();
  std::string schema_lock_owner();

  const Access access_;
  Link link_;
  /// By the literal's address: bounded by the program's text.
  std::unordered_map<const char*, std::unique_ptr<PostgresStatement>> statements_;
  std::size_t statements_made_ = 0;
  bool schema_locked_ = false;
};

}  // namespace keyward::storage::postgres
