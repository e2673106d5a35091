// One connection to a SQLite file, with its prepared statements.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "storage/connection.hpp"
#include "storage/sqlite/driver.hpp"
#include "storage/sqlite/statement.hpp"

struct sqlite3;

namespace keyward::storage::sqlite {

class SqliteConnection final : public Connection {
 public:
  /// Throws Failure or Unavailable; its messages are sentences for the person who starts the server.
  SqliteConnection(const Options& options, Access access);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection() override;

  void begin() override;
  void commit() override;
  void rollback() noexcept override;
  void savepoint() override;
  void release_savepoint() override;
  void rollback_to_savepoint() override;
  [[nodiscard]] bool in_transaction() const override;
  [[nodiscard]] bool usable() const override { return !in_transaction(); }
  Statement& prepare(Sql sql) override;
  void run_script(std::string_view script) override;
  [[nodiscard]] bool has_table(std::string_view name) override;
  [[nodiscard]] bool has_column(std::string_view table, std::string_view column) override;
  /// BEGIN IMMEDIATE has locked the file already.
  void lock_schema() override {}
  [[nodiscard]] Time now() override;
  [[nodiscard]] std::vector<Table> list_tables() override;
  /// BEGIN IMMEDIATE holds them.
  void hold_writers(std::span<const std::string> /*tables*/) override {}
  void refuse_writes(std::span<const std::string> tables) override;
  void allow_writes(std::span<const std::string> tables) override;
  [[nodiscard]] std::string_view by_bytes() const override { return {}; }  // as all is that is no NOCASE

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };

  void configure(const Options& options);
  void claim_file(const Options& options);
  bool is_ours(const Options& options);
  void run(Sql sql);
  std::int64_t run_for_number(Sql sql);

  const Access access_;
  std::unique_ptr<sqlite3, Close> database_;
  /// By the literal's address: bounded by the program's text.
  std::unordered_map<const char*, std::unique_ptr<SqliteStatement>> statements_;
};

}  // namespace keyward::storage::sqlite
