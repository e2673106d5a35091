#include "storage/transaction.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace keyward::storage {

Transaction::Run::Run(Transaction& transaction, Sql sql, std::span<const ValueView> parameters)
    : statement(transaction.begin_statement(sql)) {
  try {
    statement.start(parameters);
  } catch (const std::exception&) {
    statement.finish();  // no destructor runs for a constructor that throws
    throw;
  }
}

Statement& Transaction::begin_statement(Sql sql) {
  if (failed_) {
    throw std::logic_error(
        fmt::format("a statement of this transaction failed before: {} was not run", sql.text()));
  }
  failed_ = true;
  return connection_.prepare(sql);
}

void Transaction::refuse_row_count(Sql sql, const char* how_many) {
  failed_ = true;
  throw std::logic_error(fmt::format("{} where one is due: {}", how_many, sql.text()));
}

namespace detail {

void check_columns(std::span<const std::string> columns, std::span<const std::string_view> members, Sql sql) {
  for (std::size_t i = 0; i < columns.size() || i < members.size(); ++i) {
    const std::string_view column = i < columns.size() ? columns[i] : std::string_view{"(none)"};
    const std::string_view member = i < members.size() ? members[i] : std::string_view{"(none)"};
    if (column != member) {
      throw std::logic_error(fmt::format("column {} is \"{}\" where the struct's member is \"{}\": {}", i + 1,
                                         column, member, sql.text()));
    }
  }
}

void check_scalar(std::span<const std::string> columns, Sql sql) {
  if (columns.size() != 1) {
    throw std::logic_error(
        fmt::format("{} columns where a single value is wanted: {}", columns.size(), sql.text()));
  }
}

}  // namespace detail
}  // namespace keyward::storage
