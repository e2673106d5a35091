// The PostgreSQL engine (15 or newer, through libpq): a pool of connections that write and one of connections
// that read, each with a thread of its own.
//
// Writes are SERIALIZABLE: what two closures do at the same time is what they would do one after the other,
// as it is on SQLite. The price is that the server may undo one of them (SQLSTATE 40001); the lane runs it
// again. Reads are REPEATABLE READ READ ONLY: one committed state from the first statement to the last.
//
// Threats: a password in a log (no message holds the URL; messages of libpq do not hold it either); a server
// that hangs or a network that swallows packets (time limits on connecting, on statements, on locks, on the
// socket, and on each answer: exchange.hpp); a standby taken for the primary (target_session_attrs); an
// encoding that changes text (UTF8 only).
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/secret.hpp"
#include "storage/connection.hpp"

namespace keyward::storage::postgres {

struct Options {
  Secret url;
  std::size_t writer_threads = 4;
  std::size_t reader_threads = 2;
  /// How long a statement, or a COMMIT, waits for the server's answer.
  std::chrono::milliseconds answer_limit =
      limits::postgres_statement_timeout + limits::postgres_answer_margin;
};

/// Checks the URL; connects to nothing yet.
Result<std::unique_ptr<Driver>> open_driver(Options options);

}  // namespace keyward::storage::postgres
