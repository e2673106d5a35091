// Table: what an engine's catalog says of a table, in words that all engines share; for moves of the whole
// database, whose statements are made from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace keyward::storage {

enum class ColumnKind : std::uint8_t { number, boolean, text, bytes };

struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::text;
  std::size_t key_position = 0;  // from 1 in the primary key; 0: no part of it
  bool operator==(const Column&) const = default;
};

struct Table {
  std::string name;
  std::vector<Column> columns;          // by name
  std::vector<std::string> references;  // tables that its foreign keys name; by name
  bool operator==(const Table&) const = default;
};

/// BIGINT, BOOLEAN, TEXT or BYTEA in any case, as the catalogs have them. Anything else is a
/// std::logic_error: no migration of ours has it.
ColumnKind parse_column_kind(std::string_view type);

/// Those first that others refer to; otherwise by name. Each one's columns and references are put in order.
std::vector<Table> in_order_of_reference(std::vector<Table> tables);

}  // namespace keyward::storage
