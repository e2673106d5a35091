// One prepared statement of SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "storage/connection.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace keyward::storage::sqlite {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const noexcept;
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, Finalize>;

class SqliteStatement final : public Statement {
 public:
  SqliteStatement(sqlite3* database, Sql sql);

  void start(std::span<const ValueView> parameters) override;
  bool next() override;
  [[nodiscard]] ValueView column(std::size_t index) const override;
  [[nodiscard]] std::int64_t changed_rows() const override { return changed_rows_; }
  void finish() noexcept override;

 private:
  void bind(int index, const ValueView& value);

  sqlite3* database_;
  Sql sql_;
  StatementHandle handle_;
  /// SQLite takes $1 for a name and numbers the names by appearance: which parameter stands at which place.
  std::vector<std::size_t> parameter_at_;
  std::size_t parameter_count_ = 0;
  std::int64_t total_changes_before_ = 0;
  std::int64_t changed_rows_ = 0;
};

}  // namespace keyward::storage::sqlite
