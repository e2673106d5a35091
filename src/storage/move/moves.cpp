#include "storage/move/moves.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "storage/errors.hpp"
#include "storage/migrations.hpp"

namespace keyward::storage {
namespace {

/// The migration that makes the table.
constexpr std::int64_t first_with_moves = 6;

void require_ours(std::int64_t rows) {
  if (rows == 1) return;
  throw Failure(
      "This move was taken over by another process, or given up. This process has stopped, and has changed "
      "nothing since.");
}

}  // namespace

std::optional<DatabaseMove> find_move(Transaction& transaction, std::string_view direction) {
  return transaction.find<DatabaseMove>(
      "SELECT id, fence, direction, state, peer, started_at, finished_at FROM database_moves WHERE direction "
      "= $1",
      direction);
}

void put_move(Transaction& transaction, const DatabaseMove& move) {
  transaction.execute("DELETE FROM database_moves WHERE direction = $1", move.direction);
  transaction.execute(
      "INSERT INTO database_moves (id, fence, direction, state, peer, started_at) "
      "VALUES ($1, $2, $3, $4, $5, $6)",
      move.id, move.fence, move.direction, move.state, move.peer, move.started_at);
}

void take_move(Transaction& transaction, const MoveClaim& claim) {
  require_ours(
      transaction.execute("UPDATE database_moves SET fence = $2 WHERE id = $1", claim.id, claim.fence));
}

void hold_move(Transaction& transaction, const MoveClaim& claim) {
  // A change, though to what it is: that is a lock in both engines.
  require_ours(transaction.execute(
      "UPDATE database_moves SET fence = $2 WHERE id = $1 AND fence = $2 AND state = 'copying'", claim.id,
      claim.fence));
}

void finish_move(Transaction& transaction, const MoveClaim& claim, Time now) {
  require_ours(
      transaction.execute("UPDATE database_moves SET state = 'done', finished_at = $3 WHERE id = $1 AND "
                          "fence = $2 AND state = 'copying'",
                          claim.id, claim.fence, now));
}

void forget_moves(Transaction& transaction) { transaction.execute("DELETE FROM database_moves"); }

std::optional<std::string> why_out_of_use(Transaction& transaction) {
  const auto out = find_move(transaction, move_out);
  if (out && out->state == move_done) {
    return fmt::format(
        "The database has moved to {} ({}). Set storage.url to that, or take this one back into use as it "
        "was "
        "then: keyward db reopen.",
        out->peer, to_rfc3339(out->finished_at.value_or(out->started_at)));
  }
  const auto in = find_move(transaction, move_in);
  if (in && in->state != move_done) {
    return fmt::format(
        "This database is being filled from {}, and is not whole yet. Go on with keyward db move --to … "
        "--resume, with the settings of the other one.",
        in->peer);
  }
  return std::nullopt;
}

Result<void> check_in_use(Transaction& transaction) {
  auto why = why_out_of_use(transaction);
  if (why) return fail(ErrorCode::internal, std::move(*why));
  return {};
}

Result<void> blocking_check_in_use(Database& database) {
  auto missing = blocking_plan_migrations(database);
  if (!missing) return fail_from(missing);
  const auto comes_now = std::ranges::find(*missing, first_with_moves, &Migration::number);
  if (comes_now != missing->end()) return {};
  return database.blocking_read(check_in_use);
}

}  // namespace keyward::storage
