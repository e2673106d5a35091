#include "storage/move/table_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "base/limits.hpp"

namespace keyward::storage {
namespace {

MovedValue to_owned(const ValueView& value) {
  struct Owner {
    MovedValue operator()(Null) const { return std::monostate{}; }
    MovedValue operator()(std::int64_t number) const { return number; }
    MovedValue operator()(bool yes) const { return std::int64_t{yes ? 1 : 0}; }
    MovedValue operator()(std::string_view text) const { return std::string{text}; }
    MovedValue operator()(BytesView bytes) const { return Bytes{bytes.begin(), bytes.end()}; }
  };
  return std::visit(Owner{}, value);
}

ValueView to_view(const MovedValue& value, ColumnKind kind) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (kind == ColumnKind::boolean) return ValueView{std::in_place_type<bool>, *number != 0};
    return ValueView{std::in_place_type<std::int64_t>, *number};
  }
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view{*text};
  if (const auto* bytes = std::get_if<Bytes>(&value)) return BytesView{*bytes};
  return Null{};
}

/// "a", "b": what `each` says of every column.
template <class Each>
std::string list_of(const Table& table, const std::vector<std::size_t>& columns, Each each) {
  std::string list;
  for (std::size_t i = 0; i < columns.size(); ++i)
    list += fmt::format("{}{}", i == 0 ? "" : ", ", each(i, table.columns.at(columns[i]).name));
  return list;
}

std::vector<std::size_t> all_columns(const Table& table) {
  std::vector<std::size_t> all(table.columns.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

std::string quoted(std::size_t /*position*/, const std::string& name) { return fmt::format("\"{}\"", name); }

std::string select(const Table& table, const std::vector<std::size_t>& key, std::string_view by_bytes,
                   bool first) {
  const auto in_order = [&](std::size_t position, const std::string& name) {
    const bool text = table.columns.at(key.at(position)).kind == ColumnKind::text;
    return fmt::format("\"{}\"{}", name, text ? by_bytes : std::string_view{});
  };
  const auto keys = list_of(table, key, in_order);
  const auto after =
      list_of(table, key, [](std::size_t i, const auto&) { return fmt::format("${}", i + 1); });
  return fmt::format("SELECT {} FROM \"{}\" {} ORDER BY {} LIMIT ${}",
                     list_of(table, all_columns(table), quoted), table.name,
                     first ? std::string{} : fmt::format("WHERE ({}) > ({})", keys, after), keys,
                     first ? 1 : key.size() + 1);
}

std::string insert_of(const Table& table, std::size_t rows) {
  const auto all = all_columns(table);
  std::string values;
  for (std::size_t row = 0; row < rows; ++row) {
    values +=
        fmt::format("{}({})", row == 0 ? "" : ", ", list_of(table, all, [&](std::size_t i, const auto&) {
                      return fmt::format("${}", row * all.size() + i + 1);
                    }));
  }
  return fmt::format("INSERT INTO \"{}\" ({}) VALUES {}", table.name, list_of(table, all, quoted), values);
}

std::string remove_of(const Table& table, const std::vector<std::size_t>& key) {
  std::string where;
  for (std::size_t i = 0; i < key.size(); ++i)
    where += fmt::format("{}\"{}\" = ${}", i == 0 ? "" : " AND ", table.columns.at(key[i]).name, i + 1);
  return fmt::format("DELETE FROM \"{}\" WHERE {}", table.name, where);
}

template <class EachRow>
void run(Connection& connection, Sql sql, std::span<const ValueView> values, EachRow each_row) {
  Statement& statement = connection.prepare(sql);
  const auto finish = [](Statement* ended) { ended->finish(); };
  const std::unique_ptr<Statement, decltype(finish)> running{&statement, finish};
  statement.start(values);
  while (statement.next()) each_row(std::as_const(statement));
}

}  // namespace

std::vector<std::size_t> key_columns(const Table& table) {
  std::vector<std::size_t> key;
  for (std::size_t position = 1;; ++position) {
    const auto found = std::ranges::find(table.columns, position, &Column::key_position);
    if (found == table.columns.end()) break;
    key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
  }
  if (key.empty()) throw std::logic_error(fmt::format("table {} has no primary key", table.name));
  return key;
}

int compare_keys(const Table& table, const MovedRow& a, const MovedRow& b) {
  for (const std::size_t i : key_columns(table)) {
    if (a.at(i) < b.at(i)) return -1;
    if (b.at(i) < a.at(i)) return 1;
  }
  return 0;
}

Bytes canonical_bytes(const MovedRow& row) {
  Bytes bytes;
  for (const MovedValue& value : row) {
    bytes.push_back(static_cast<std::uint8_t>(value.index()));
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      append_big_endian(bytes, static_cast<std::uint64_t>(*number));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      append_big_endian(bytes, text->size());
      bytes.insert(bytes.end(), text->begin(), text->end());
    } else if (const auto* raw = std::get_if<Bytes>(&value)) {
      append_big_endian(bytes, raw->size());
      bytes.insert(bytes.end(), raw->begin(), raw->end());
    }
  }
  return bytes;
}

TableStatements::TableStatements(const Table& table, std::string_view by_bytes, std::string_view side)
    : table_(table),
      side_(side),
      key_(key_columns(table)),
      insert_rows_(std::max<std::size_t>(limits::move_statement_values_max / table.columns.size(), 1)),
      first_page_(select(table, key_, by_bytes, true)),
      next_page_(select(table, key_, by_bytes, false)),
      insert_one_(insert_of(table, 1)),
      insert_many_(insert_of(table, insert_rows_)),
      remove_(remove_of(table, key_)) {}

std::vector<MovedRow> TableStatements::read_page(Connection& connection, const MovedRow* after) const {
  std::vector<ValueView> values;
  if (after != nullptr) {
    for (const std::size_t i : key_) values.push_back(to_view(after->at(i), table_.columns.at(i).kind));
  }
  values.push_back(static_cast<std::int64_t>(limits::move_page_rows));
  std::vector<MovedRow> rows;
  const auto add = [&](const Statement& statement) {
    MovedRow row;
    for (std::size_t i = 0; i < table_.columns.size(); ++i) row.push_back(to_owned(statement.column(i)));
    rows.push_back(std::move(row));
  };
  on_side(side_,
          [&] { run(connection, after == nullptr ? first_page_.sql() : next_page_.sql(), values, add); });
  return rows;
}

void TableStatements::insert(Connection& connection, std::span<const MovedRow> rows) const {
  std::vector<ValueView> values;
  for (const MovedRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) values.push_back(to_view(row[i], table_.columns.at(i).kind));
  }
  const Sql sql = rows.size() == 1 ? insert_one_.sql() : insert_many_.sql();
  on_side(side_, [&] { run(connection, sql, values, [](const auto&) {}); });
}

void TableStatements::remove(Connection& connection, const MovedRow& row) const {
  std::vector<ValueView> values;
  for (const std::size_t i : key_) values.push_back(to_view(row.at(i), table_.columns.at(i).kind));
  on_side(side_, [&] { run(connection, remove_.sql(), values, [](const auto&) {}); });
}

bool TableStatements::is_empty(Connection& connection) const {
  return read_page(connection, nullptr).empty();
}

const MovedRow* TableWalk::peek() {
  if (at_ < page_.size()) return &page_[at_];
  if (at_last_page_) return nullptr;
  const MovedRow last = started_ ? std::move(page_.back()) : MovedRow{};
  page_ = statements_.read_page(connection_, started_ ? &last : nullptr);
  started_ = true;
  at_ = 0;
  at_last_page_ = page_.size() < limits::move_page_rows;
  return page_.empty() ? nullptr : page_.data();
}

}  // namespace keyward::storage
