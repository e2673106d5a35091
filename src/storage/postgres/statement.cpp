#include "storage/postgres/statement.hpp"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "storage/postgres/exchange.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

// pg_type.dat: these numbers are part of the protocol, and never change.
constexpr Oid bool_type = 16;
constexpr Oid bytea_type = 17;
constexpr Oid name_type = 19;
constexpr Oid int8_type = 20;
constexpr Oid int2_type = 21;
constexpr Oid int4_type = 23;
constexpr Oid text_type = 25;
constexpr Oid varchar_type = 1043;

constexpr int binary = 1;

std::size_t integer_bytes(Oid type) {
  if (type == int8_type) return 8;
  if (type == int4_type) return 4;
  return type == int2_type ? 2 : 0;
}

bool is_text(Oid type) { return type == text_type || type == varchar_type || type == name_type; }

}  // namespace

PostgresStatement::PostgresStatement(Link& link, std::string name, Sql sql)
    : link_(link), name_(std::move(name)), sql_(sql) {
  const std::string text{sql.text()};
  await_answer(link_, PQsendPrepare(link_.get(), name_.c_str(), text.c_str(), 0, nullptr), link_.answer_limit,
               sql.text());
  const auto described =
      await_answer(link_, PQsendDescribePrepared(link_.get(), name_.c_str()), link_.answer_limit, sql.text());
  const int parameters = PQnparams(described.get());
  for (int i = 0; i < parameters; ++i) parameters_.push_back({.type = PQparamtype(described.get(), i)});
  values_.resize(parameters_.size());
  lengths_.resize(parameters_.size());
  formats_.assign(parameters_.size(), binary);
  const int columns = PQnfields(described.get());
  for (int i = 0; i < columns; ++i) columns_.emplace_back(PQfname(described.get(), i));
}

void PostgresStatement::start(std::span<const ValueView> parameters) {
  if (parameters.size() != parameters_.size()) {
    throw std::logic_error(fmt::format("{} parameters given where {} are due: {}", parameters.size(),
                                       parameters_.size(), sql_.text()));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) put(i, parameters[i]);
  result_.reset();
  row_ = -1;
  changed_rows_ = 0;
}

void PostgresStatement::put(std::size_t index, const ValueView& value) {
  struct Putter {
    PostgresStatement& statement;
    std::size_t index;
    void operator()(Null) const { statement.values_[index] = nullptr; }
    void operator()(std::int64_t number) const { statement.put_number(index, number); }
    void operator()(bool yes) const {
      auto& parameter = statement.parameters_[index];
      if (parameter.type != bool_type) statement.refuse(index, "BOOLEAN");
      parameter.number[0] = yes ? 1 : 0;
      statement.put_bytes(index, parameter.number.data(), 1);
    }
    void operator()(std::string_view text) const {
      if (!is_text(statement.parameters_[index].type)) statement.refuse(index, "TEXT");
      statement.put_bytes(index, text.data(), text.size());
    }
    void operator()(BytesView bytes) const {
      if (statement.parameters_[index].type != bytea_type) statement.refuse(index, "BYTEA");
      statement.put_bytes(index, reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  };
  std::visit(Putter{*this, index}, value);
}

void PostgresStatement::put_number(std::size_t index, std::int64_t number) {
  auto& parameter = parameters_[index];
  const std::size_t size_bytes = integer_bytes(parameter.type);
  if (size_bytes == 0) refuse(index, "BIGINT");
  const std::int64_t over = number >> (8 * size_bytes - 1);  // 0 or -1 when it fits
  if (over != 0 && over != -1) refuse(index, "a number that is too large");
  for (std::size_t i = 0; i < size_bytes; ++i) {  // the network's order
    parameter.number[i] = static_cast<char>(number >> (8 * (size_bytes - 1 - i)));
  }
  put_bytes(index, parameter.number.data(), size_bytes);
}

void PostgresStatement::put_bytes(std::size_t index, const char* data, std::size_t size_bytes) {
  if (size_bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::length_error("a parameter of more than 2 GB");
  values_[index] = data == nullptr ? "" : data;  // a null pointer would be NULL
  lengths_[index] = static_cast<int>(size_bytes);
}

void PostgresStatement::refuse(std::size_t index, std::string_view given) const {
  throw std::logic_error(fmt::format("${} is {} where the server wants its type {}: {}", index + 1, given,
                                     parameters_[index].type, sql_.text()));
}

void PostgresStatement::run() {
  const int sent = PQsendQueryPrepared(link_.get(), name_.c_str(), static_cast<int>(values_.size()),
                                       values_.data(), lengths_.data(), formats_.data(), binary);
  result_ = await_answer(link_, sent, link_.answer_limit, sql_.text());
  // "INSERT 0 3", "UPDATE 1"; a SELECT has a number there too, which is none of changed rows.
  const std::string_view tag = PQcmdStatus(result_.get());
  if (tag.starts_with("SELECT")) return;
  const std::string_view count = PQcmdTuples(result_.get());
  std::from_chars(count.data(), count.data() + count.size(), changed_rows_);
}

bool PostgresStatement::next() {
  if (!result_) run();
  if (row_ + 1 >= PQntuples(result_.get())) return false;
  ++row_;
  return true;
}

ValueView PostgresStatement::column(std::size_t index) const {
  const int i = static_cast<int>(index);
  if (PQgetisnull(result_.get(), row_, i) == 1) return Null{};
  const char* data = PQgetvalue(result_.get(), row_, i);
  const auto size_bytes = static_cast<std::size_t>(PQgetlength(result_.get(), row_, i));
  const Oid type = PQftype(result_.get(), i);
  if (const std::size_t due = integer_bytes(type); due != 0 && due == size_bytes) {
    std::uint64_t number = (data[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;  // the sign, for the shorter types
    for (std::size_t at = 0; at < due; ++at) number = number << 8U | static_cast<unsigned char>(data[at]);
    return ValueView{std::in_place_type<std::int64_t>, std::bit_cast<std::int64_t>(number)};
  }
  if (type == bool_type && size_bytes == 1) return ValueView{std::in_place_type<bool>, data[0] != 0};
  if (is_text(type)) return std::string_view{data, size_bytes};
  if (type == bytea_type) return BytesView{reinterpret_cast<const std::uint8_t*>(data), size_bytes};
  throw std::logic_error(
      fmt::format("column \"{}\" is of the server's type {}, which Keyward does not use: {}", columns_[index],
                  type, sql_.text()));
}

}  // namespace keyward::storage::postgres
