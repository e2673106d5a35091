#include "storage/sqlite/error.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <stdexcept>

#include "storage/errors.hpp"

namespace keyward::storage::sqlite {
namespace {

Constraint constraint_of(int extended_code) {
  switch (extended_code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return Constraint::unique;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return Constraint::foreign_key;
    case SQLITE_CONSTRAINT_NOTNULL:
      return Constraint::not_null;
    case SQLITE_CONSTRAINT_CHECK:
      return Constraint::check;
    default:
      return Constraint::other;
  }
}

}  // namespace

void raise(sqlite3* database, int code, std::string_view doing) {
  const int extended = database != nullptr ? sqlite3_extended_errcode(database) : code;
  const char* message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  const std::string what = fmt::format("SQLite: {} ({}) in: {}", message, extended, doing);
  if (code == SQLITE_NOMEM) throw Failure("SQLite: out of memory");
  switch (code & 0xFF) {
    case SQLITE_CONSTRAINT:
      // A trigger of ours: see refuse_writes().
      if (extended == SQLITE_CONSTRAINT_TRIGGER) throw Unavailable(what);
      throw ConstraintViolation(constraint_of(extended), what);
    case SQLITE_BUSY:
      // A stale snapshot is cured by starting again; a plain SQLITE_BUSY has already waited for its time.
      if (extended == SQLITE_BUSY_SNAPSHOT) throw Conflict(what);
      throw Unavailable(what);
    case SQLITE_LOCKED:
      throw Conflict(what);
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      throw std::logic_error(what);
    default:
      throw Failure(what);
  }
}

void require_ok(sqlite3* database, int code, std::string_view doing) {
  if (code != SQLITE_OK) raise(database, code, doing);
}

}  // namespace keyward::storage::sqlite
