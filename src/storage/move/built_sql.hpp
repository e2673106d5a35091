// BuiltSql: the one way from a string to Sql, for statements about tables that the catalog names.
//
// Threat: what people send becomes part of a statement (Z6). Answer: only `keyward db move` includes this (a
// house test), and all that goes into its strings are names of the catalog, which migrations of ours have
// made.
#pragma once

#include <string>

#include "storage/sql.hpp"

namespace keyward::storage {

class BuiltSql {
 public:
  explicit BuiltSql(std::string text) : text_(std::move(text)) { sql_.text_ = text_.c_str(); }
  BuiltSql(const BuiltSql&) = delete;  // statements are cached by the text's address
  BuiltSql& operator=(const BuiltSql&) = delete;
  ~BuiltSql() = default;

  /// Of use as long as this object is; it outlives the connections that prepare it.
  [[nodiscard]] Sql sql() const { return sql_; }

 private:
  std::string text_;
  Sql sql_;
};

}  // namespace keyward::storage
