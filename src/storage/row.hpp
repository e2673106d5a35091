// Rows: one scalar, or a struct described with BOOST_DESCRIBE_STRUCT whose members bear the columns' names.
#pragma once

#include <array>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/mp11/list.hpp>
#include <span>
#include <string>
#include <string_view>

#include "storage/connection.hpp"
#include "storage/value.hpp"

namespace keyward::storage {

template <class Row>
concept DescribedRow = !ColumnType<Row> && boost::describe::has_describe_members<Row>::value;

template <class Row>
concept RowType = ColumnType<Row> || DescribedRow<Row>;

namespace detail {

template <class Row>
using Members = boost::describe::describe_members<Row, boost::describe::mod_public>;

/// One address for each row type.
template <class Row>
inline constexpr char row_tag = 0;

/// Throws std::logic_error, naming the first column that differs.
void check_columns(std::span<const std::string> columns, std::span<const std::string_view> members, Sql sql);
void check_scalar(std::span<const std::string> columns, Sql sql);

template <RowType Row>
void check_row(Statement& statement, Sql sql) {
  if (statement.checked_for == &row_tag<Row>) return;
  if constexpr (ColumnType<Row>) {
    check_scalar(statement.columns(), sql);
  } else {
    std::array<std::string_view, boost::mp11::mp_size<Members<Row>>::value> names{};
    std::size_t index = 0;
    boost::mp11::mp_for_each<Members<Row>>([&](auto member) { names[index++] = member.name; });
    check_columns(statement.columns(), names, sql);
  }
  statement.checked_for = &row_tag<Row>;
}

template <RowType Row>
Row read_row(const Statement& statement) {
  if constexpr (ColumnType<Row>) {
    return from_value<Row>(statement.column(0), statement.columns()[0]);
  } else {
    Row row{};
    std::size_t index = 0;
    boost::mp11::mp_for_each<Members<Row>>([&](auto member) {
      auto& to = row.*member.pointer;
      to = from_value<std::remove_reference_t<decltype(to)>>(statement.column(index), member.name);
      ++index;
    });
    return row;
  }
}

}  // namespace detail
}  // namespace keyward::storage
