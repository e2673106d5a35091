// What the database says of moves of itself: nobody may use one that has moved away, or that is half filled.
//
// Threat: two processes that move (one was stopped, another resumed; then it goes on) copy over each other,
// or retire the source for two targets. Answer: each draws a fence at its start and puts it into the rows of
// both sides; every transaction of a move begins with hold_move(), which only the last one's fence passes.
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"

namespace keyward::storage {

class Database;

/// A row of `database_moves`.
struct DatabaseMove {
  Uuid id;
  Uuid fence;
  std::string direction;
  std::string state;
  std::string peer;  // the other side, for people
  Time started_at;
  std::optional<Time> finished_at;
};
BOOST_DESCRIBE_STRUCT(DatabaseMove, (), (id, fence, direction, state, peer, started_at, finished_at))

inline constexpr std::string_view move_out = "out";
inline constexpr std::string_view move_in = "in";
inline constexpr std::string_view move_copying = "copying";
inline constexpr std::string_view move_done = "done";

std::optional<DatabaseMove> find_move(Transaction& transaction, std::string_view direction);
/// Replaces an older one of the same direction.
void put_move(Transaction& transaction, const DatabaseMove& move);

/// A move, and the process that is at work on it.
struct MoveClaim {
  Uuid id;
  Uuid fence;
};
// These throw Failure when the move is no longer the claimant's, or was never begun here.
/// From the commit on no process with an older fence passes.
void take_move(Transaction& transaction, const MoveClaim& claim);
/// Until the transaction ends nobody else takes it.
void hold_move(Transaction& transaction, const MoveClaim& claim);
void finish_move(Transaction& transaction, const MoveClaim& claim, Time now);
void forget_moves(Transaction& transaction);

/// Why nobody may use this database; nothing when they may.
std::optional<std::string> why_out_of_use(Transaction& transaction);
/// The same as a refusal.
Result<void> check_in_use(Transaction& transaction);
/// The same for a database of any version, before it is migrated.
Result<void> blocking_check_in_use(Database& database);

}  // namespace keyward::storage
