#include "storage/sqlite/statement.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <string>

#include "storage/errors.hpp"
#include "storage/sqlite/error.hpp"

namespace keyward::storage::sqlite {
namespace {

StatementHandle prepare(sqlite3* database, Sql sql) {
  const std::string_view text = sql.text();
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database, text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  StatementHandle handle{raw};
  if (code == SQLITE_ERROR) {
    throw std::logic_error(fmt::format("SQLite: {} in: {}", sqlite3_errmsg(database), text));
  }
  require_ok(database, code, text);
  if (!handle) throw std::logic_error(fmt::format("no statement in: {}", text));
  return handle;
}

/// "$12" -> 11
std::size_t parameter_of(const char* name, Sql sql) {
  std::size_t number = 0;
  const char* end = name == nullptr ? nullptr : name + std::strlen(name);
  if (name == nullptr || *name != '$' || std::from_chars(name + 1, end, number).ptr != end || number == 0) {
    throw std::logic_error(fmt::format("parameters are written $1, $2: {}", sql.text()));
  }
  return number - 1;
}

}  // namespace

void Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

SqliteStatement::SqliteStatement(sqlite3* database, Sql sql)
    : database_(database), sql_(sql), handle_(prepare(database, sql)) {
  const int places = sqlite3_bind_parameter_count(handle_.get());
  for (int place = 1; place <= places; ++place) {
    parameter_at_.push_back(parameter_of(sqlite3_bind_parameter_name(handle_.get(), place), sql));
  }
  // Each name has one place, so with as many places as the highest number none is left out.
  for (const std::size_t parameter : parameter_at_)
    parameter_count_ = std::max(parameter_count_, parameter + 1);
  if (parameter_count_ != parameter_at_.size()) {
    throw std::logic_error(
        fmt::format("a parameter number is left out, or written twice over ($01): {}", sql.text()));
  }
  const int columns = sqlite3_column_count(handle_.get());
  for (int i = 0; i < columns; ++i) columns_.emplace_back(sqlite3_column_name(handle_.get(), i));
}

void SqliteStatement::start(std::span<const ValueView> parameters) {
  if (parameters.size() != parameter_count_) {
    throw std::logic_error(fmt::format("{} parameters given where {} are due: {}", parameters.size(),
                                       parameter_count_, sql_.text()));
  }
  for (std::size_t i = 0; i < parameter_at_.size(); ++i) {
    bind(static_cast<int>(i) + 1, parameters[parameter_at_[i]]);
  }
  changed_rows_ = 0;
  total_changes_before_ = sqlite3_total_changes(database_);
}

void SqliteStatement::bind(int index, const ValueView& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(Null) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
    int operator()(bool yes) const { return sqlite3_bind_int(statement, index, yes ? 1 : 0); }
    int operator()(std::string_view text) const {
      // A null pointer would be NULL, not the empty text.
      const char* data = text.data() == nullptr ? "" : text.data();
      return sqlite3_bind_text64(statement, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(BytesView bytes) const {
      if (bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
      return sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
  };
  require_ok(database_, std::visit(Binder{handle_.get(), index}, value), sql_.text());
}

bool SqliteStatement::next() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) raise(database_, code, sql_.text());
  // sqlite3_changes speaks of the last INSERT, UPDATE or DELETE, which need not be this statement.
  if (sqlite3_total_changes(database_) != total_changes_before_) changed_rows_ = sqlite3_changes(database_);
  return false;
}

ValueView SqliteStatement::column(std::size_t index) const {
  const int i = static_cast<int>(index);
  switch (sqlite3_column_type(handle_.get(), i)) {
    case SQLITE_NULL:
      return Null{};
    case SQLITE_INTEGER:
      return ValueView{std::in_place_type<std::int64_t>, sqlite3_column_int64(handle_.get(), i)};
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(handle_.get(), i);
      if (text == nullptr) throw Failure("SQLite: out of memory");
      const auto size_bytes = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), i));
      return std::string_view{reinterpret_cast<const char*>(text), size_bytes};
    }
    case SQLITE_BLOB: {
      const void* bytes = sqlite3_column_blob(handle_.get(), i);  // null for an empty blob
      const auto size_bytes = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), i));
      if (bytes == nullptr && size_bytes != 0) throw Failure("SQLite: out of memory");
      return BytesView{static_cast<const std::uint8_t*>(bytes), size_bytes};
    }
    default:
      throw std::logic_error(
          fmt::format("column \"{}\" holds a floating-point number: {}", columns_[index], sql_.text()));
  }
}

void SqliteStatement::finish() noexcept {
  // Its code repeats the error that next() has already thrown.
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
}

}  // namespace keyward::storage::sqlite
