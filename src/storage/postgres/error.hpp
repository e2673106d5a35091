// From PostgreSQL's SQLSTATEs (its appendix A) to what storage throws.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace keyward::storage::postgres {

struct ClearResult {
  void operator()(pg_result* result) const noexcept;
};
using ResultHandle = std::unique_ptr<pg_result, ClearResult>;

struct CloseConnection {
  void operator()(pg_conn* connection) const noexcept;
};

/// A connection of libpq, and what libpq does not always know of it.
struct Link {
  std::unique_ptr<pg_conn, CloseConnection> connection;
  /// How long a statement may wait for its answer: longer than the server lets it run.
  std::chrono::milliseconds answer_limit;
  /// A call got no answer of the server. PQstatus may still call it good: when a write failed, and a last
  /// message of the server was there to be read.
  bool lost = false;

  /// Null once it was given up; what is asked of it then fails.
  [[nodiscard]] pg_conn* get() const { return connection.get(); }
};

/// Throws what the SQLSTATE stands for; an empty one is a connection that was lost. Pure.
[[noreturn]] void raise_state(std::string_view sqlstate, const std::string& what);

/// Throws what stands in `result`, which may be null, unless it is a success. The message has the server's
/// first line and the SQL, not its DETAIL, which quotes values.
void require_done(Link& link, const pg_result* result, std::string_view doing);

/// The last message of the connection on one line.
std::string last_message(const pg_conn* connection);

}  // namespace keyward::storage::postgres
