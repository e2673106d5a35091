// Sql: the text of one statement, which only a string literal can become.
//
// Threat: SQL put together from input (Z6). Answer: the constructor runs at compile time, so a string that
// was built does not compile; whatever varies is a parameter, $1 and on.
//
// Write the common subset of SQLite 3.35 and PostgreSQL: $1, RETURNING, ON CONFLICT, BIGINT, BYTEA, TEXT,
// BOOLEAN.
#pragma once

#include <cstddef>
#include <string_view>

namespace keyward::storage {

class Sql {
 public:
  template <std::size_t Size>
  consteval Sql(const char (&literal)[Size])
      : text_(literal) {  // NOLINT(google-explicit-constructor): reads as SQL
    static_assert(Size > 1, "an SQL statement is not empty");
    for (std::size_t i = 0; i + 1 < Size; ++i) {
      if (literal[i] == '\0') throw "an SQL statement holds no NUL";
      if (literal[i] == ';') throw "one statement at a time, without a semicolon";
    }
  }

  [[nodiscard]] constexpr std::string_view text() const { return text_; }
  /// The literal's address, which never changes: the key of the statement caches.
  [[nodiscard]] constexpr const char* key() const { return text_; }

 private:
  friend class BuiltSql;  // move/built_sql.hpp: from names of the catalog, for `keyward db move` alone
  Sql() = default;

  const char* text_ = nullptr;
};

}  // namespace keyward::storage
