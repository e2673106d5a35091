#include "storage/postgres/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "storage/errors.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

Constraint constraint_of(std::string_view sqlstate) {
  if (sqlstate == "23505") return Constraint::unique;
  if (sqlstate == "23503") return Constraint::foreign_key;
  if (sqlstate == "23502") return Constraint::not_null;
  if (sqlstate == "23514") return Constraint::check;
  return Constraint::other;
}

/// "Not now": nothing was changed, and a little later it may be possible.
bool is_passing(std::string_view sqlstate) {
  constexpr auto states = std::to_array<std::string_view>({
      "25P03",  // idle in transaction for too long
      "53300",  // too many connections
      "55P03",  // a lock was not to be had in time
      "57014",  // cancelled: the statement took too long
      "57P01",  // the server is being stopped
      "57P02",  // another process of the server crashed
      "57P03",  // the server is starting
      "57P05",  // idle for too long
  });
  return sqlstate.empty() || sqlstate.starts_with("08") ||
         std::ranges::find(states, sqlstate) != states.end();
}

std::string field(const pg_result* result, int code) {
  const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? std::string{} : std::string{text};
}

}  // namespace

void ClearResult::operator()(pg_result* result) const noexcept { PQclear(result); }
void CloseConnection::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

void raise_state(std::string_view sqlstate, const std::string& what) {
  if (sqlstate == "40001" || sqlstate == "40P01") throw Conflict(what);
  if (sqlstate.starts_with("23")) throw ConstraintViolation(constraint_of(sqlstate), what);
  if (is_passing(sqlstate)) throw Unavailable(what);
  // Wrong SQL, apart from a right that the operator has to grant.
  if (sqlstate.starts_with("42") && sqlstate != "42501") throw std::logic_error(what);
  throw Failure(what);
}

void require_done(Link& link, const pg_result* result, std::string_view doing) {
  const auto status = result == nullptr ? PGRES_FATAL_ERROR : PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
  const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
  auto message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = last_message(link.get());
  const auto what =
      fmt::format("PostgreSQL: {} ({}) in: {}", message, sqlstate.empty() ? "no answer" : sqlstate, doing);
  link.lost = link.lost || sqlstate.empty();
  raise_state(sqlstate, what);
}

std::string last_message(const pg_conn* connection) {
  if (connection == nullptr) return "the connection was given up";
  std::string message = PQerrorMessage(connection);
  message.erase(message.find_last_not_of("\r\n ") + 1);
  std::ranges::replace_if(message, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return message;
}

}  // namespace keyward::storage::postgres
