#include "storage/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace keyward::storage {

ColumnKind parse_column_kind(std::string_view type) {
  std::string word{type};
  for (char& c : word) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (word == "BIGINT") return ColumnKind::number;
  if (word == "BOOLEAN") return ColumnKind::boolean;
  if (word == "TEXT") return ColumnKind::text;
  if (word == "BYTEA") return ColumnKind::bytes;
  throw std::logic_error(fmt::format("a column of the type {}, which no migration of ours makes", word));
}

std::vector<Table> in_order_of_reference(std::vector<Table> tables) {
  for (Table& table : tables) {
    std::ranges::sort(table.columns, {}, &Column::name);
    std::ranges::sort(table.references);
  }
  std::ranges::sort(tables, {}, &Table::name);
  std::vector<Table> ordered;
  const auto is_placed = [&](const Table& waiting) {
    return std::ranges::all_of(waiting.references, [&](const std::string& name) {
      return name == waiting.name || std::ranges::find(ordered, name, &Table::name) != ordered.end();
    });
  };
  while (!tables.empty()) {
    const auto next = std::ranges::find_if(tables, is_placed);
    if (next == tables.end()) throw std::logic_error("tables refer to each other in a circle");
    ordered.push_back(std::move(*next));
    tables.erase(next);
  }
  return ordered;
}

}  // namespace keyward::storage
