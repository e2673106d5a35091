#include "domain/leases/leases.hpp"

#include <string>

#include "base/limits.hpp"
#include "base/log.hpp"

namespace keyward::domain {

std::string_view to_string(LeasedWork work) {
  switch (work) {
    case LeasedWork::session_sweep:
      return "session_sweep";
    case LeasedWork::mail_sweep:
      return "mail_sweep";
    case LeasedWork::audit_checkpoints:
      return "audit_checkpoints";
    case LeasedWork::key_maintenance:
      return "key_maintenance";
    case LeasedWork::rate_limit_sweep:
      return "rate_limit_sweep";
  }
  return {};
}

bool Leases::take(storage::Transaction& transaction, LeasedWork work) {
  const Time now = transaction.database_time();
  const auto until = now + limits::lease_length;
  // An end beyond ours is of a clock that was set back since.
  const bool taken = transaction.execute(
                         "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3) "
                         "ON CONFLICT (name) DO UPDATE SET holder = $2, expires_at = $3 "
                         "WHERE leases.holder = $2 OR leases.expires_at <= $4 OR leases.expires_at > $3",
                         to_string(work), holder_, until, now) == 1;
  transaction.after_commit([this, work, taken] {
    if (held_.at(static_cast<std::size_t>(work)).exchange(taken) == taken) return;
    log(LogLevel::info, taken ? "lease_taken" : "lease_lost",
        {{"work", std::string{to_string(work)}}, {"holder", holder_.to_string()}});
  });
  return taken;
}

bool Leases::is_held_by_another(storage::Transaction& transaction, LeasedWork work) const {
  const Time now = transaction.database_time();
  return transaction
      .find<std::int64_t>(
          "SELECT expires_at FROM leases WHERE name = $1 AND holder <> $2 AND expires_at > $3 AND "
          "expires_at <= $4",
          to_string(work), holder_, now, now + limits::lease_length)
      .has_value();
}

void Leases::give_back(storage::Transaction& transaction) const {
  transaction.execute("DELETE FROM leases WHERE holder = $1", holder_);
}

}  // namespace keyward::domain
