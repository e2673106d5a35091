#include "storage/postgres/exchange.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "storage/errors.hpp"
#include "storage/postgres/libpq.hpp"

namespace keyward::storage::postgres {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

/// False: the time is up. The last look comes after it, so that an answer counts that came while this process
/// itself was stopped.
bool wait_for_socket(int socket, short events, Deadline deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto wait = std::clamp(left, std::chrono::milliseconds{0}, std::chrono::milliseconds{60'000});
    ::pollfd entry{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(wait.count()));
    if (ready > 0) return true;
    if (ready == 0 && wait.count() == 0) return false;
    if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
  }
}

/// Sends what is left of the question and reads until PQgetResult need not wait. False: the time is up.
bool receive(const Link& link, Deadline deadline) {
  pg_conn* connection = link.get();
  while (PQisBusy(connection) == 1) {
    const bool unsent = PQflush(connection) == 1;
    const int socket = PQsocket(connection);
    if (socket < 0) return true;  // libpq has closed it, and PQgetResult says why
    if (!wait_for_socket(socket, unsent ? POLLIN | POLLOUT : POLLIN, deadline)) return false;
    // When it fails with the socket still open (no memory), PQgetResult would wait without a limit.
    if (PQconsumeInput(connection) != 1) return PQsocket(connection) < 0;
  }
  return true;
}

bool is_done(const pg_result* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/// libpq would give a COPY again and again, and it is none of ours.
bool is_copy(const pg_result* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

[[noreturn]] void give_up(Link& link, std::chrono::milliseconds limit, std::string_view doing) {
  link.lost = true;
  link.connection.reset();  // does not wait: it is in libpq's non-blocking mode
  throw Unavailable(fmt::format("PostgreSQL: no answer within {} ms in: {}", limit.count(), doing));
}

}  // namespace

ResultHandle await_answer(Link& link, int sent, std::chrono::milliseconds limit, std::string_view doing) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  ResultHandle answer;
  while (sent == 1) {
    if (!receive(link, deadline)) give_up(link, limit, doing);
    ResultHandle next{PQgetResult(link.get())};
    if (!next) break;
    if (!answer || is_done(answer.get())) answer = std::move(next);
    if (is_copy(answer.get()) || PQstatus(link.get()) != CONNECTION_OK) break;
  }
  link.lost = link.lost || PQstatus(link.get()) != CONNECTION_OK;
  require_done(link, answer.get(), doing);
  return answer;
}

}  // namespace keyward::storage::postgres
