// What storage throws. A refusal that is expected (no such row, a lost race) is never among these: closures
// return it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace keyward::storage {

/// The world broke: the disk is full, the file is damaged, the database is gone. Nothing was reported as
/// done; when it was the commit that failed, it is not known whether the change survives.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Not now: the queue is full, another process holds the file for too long, or the database is being closed.
/// The change was not made. (A closure that returns a Result gets ErrorCode::unavailable instead.)
class Unavailable : public Failure {
 public:
  using Failure::Failure;
};

/// The engine undid the transaction because of another one (serialization failure, deadlock). Database
/// catches it and runs the closure again, so that no caller sees it.
class Conflict final : public Unavailable {
 public:
  using Unavailable::Unavailable;
};

enum class Constraint : std::uint8_t { unique, foreign_key, not_null, check, other };

/// A constraint of the schema said no, and the closure had not asked first (ON CONFLICT, WHERE EXISTS).
class ConstraintViolation final : public Failure {
 public:
  ConstraintViolation(Constraint broken, const std::string& what) : Failure(what), constraint(broken) {}
  Constraint constraint;
};

}  // namespace keyward::storage
