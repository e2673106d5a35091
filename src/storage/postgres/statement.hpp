// One prepared statement of a PostgreSQL connection.
//
// SQL is shared with SQLite and names no types: the server infers what each parameter is, and says so once
// when the statement is prepared. A value is sent in the binary form of that type, and a value that cannot be
// of that type is a std::logic_error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/connection.hpp"
#include "storage/postgres/error.hpp"

namespace keyward::storage::postgres {

class PostgresStatement final : public Statement {
 public:
  /// `name` is unique on the connection.
  PostgresStatement(Link& link, std::string name, Sql sql);

  void start(std::span<const ValueView> parameters) override;
  bool next() override;
  [[nodiscard]] ValueView column(std::size_t index) const override;
  [[nodiscard]] std::int64_t changed_rows() const override { return changed_rows_; }
  void finish() noexcept override { result_.reset(); }

 private:
  struct Parameter {
    unsigned type = 0;             // the server's oid
    std::array<char, 8> number{};  // where a number's bytes stand while the statement runs
  };

  void put(std::size_t index, const ValueView& value);
  void put_number(std::size_t index, std::int64_t number);
  void put_bytes(std::size_t index, const char* data, std::size_t size_bytes);
  [[noreturn]] void refuse(std::size_t index, std::string_view given) const;
  void run();

  Link& link_;
  std::string name_;
  Sql sql_;
  std::vector<Parameter> parameters_;
  // What libpq takes; as long as parameters_.
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  ResultHandle result_;  // the whole answer: our lists are pages
  int row_ = -1;
  std::int64_t changed_rows_ = 0;
};

}  // namespace keyward::storage::postgres
