// Leases: of all processes on a database, the one that does a work for which one is enough.
//
// Whoever has work takes the lease in the transaction of that work, so that nothing is done without it: by
// one conditional statement, which also renews what the process has already. A process that dies keeps nobody
// waiting for longer than limits::lease_length.
//
// Threats: nodes whose clocks differ, or are set (an end is written and compared by the database's own clock;
// one that lies further away than any lease is long is not believed) · a holder that was stopped for a while
// and goes on (its next transaction asks again; and every work under a lease is harmless when it is done
// twice).
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/random.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

enum class LeasedWork : std::uint8_t {
  session_sweep,
  mail_sweep,
  audit_checkpoints,
  key_maintenance,
  rate_limit_sweep
};
inline constexpr std::size_t leased_work_count = 5;

std::string_view to_string(LeasedWork work);

class Leases {
 public:
  /// The holder is this object.
  Leases(const Clock& clock, Random& random) : holder_(Uuid::make_v7(clock.now(), random)) {}

  /// True: it is ours until the transaction ends, and lease_length longer. In the write that does the work.
  bool take(storage::Transaction& transaction, LeasedWork work);
  /// For read closures: whether take() would be in vain now.
  [[nodiscard]] bool is_held_by_another(storage::Transaction& transaction, LeasedWork work) const;
  /// At the end of a process: others need not wait.
  void give_back(storage::Transaction& transaction) const;

  [[nodiscard]] const Uuid& holder() const { return holder_; }
  /// Whether the last take() of it was granted; for metrics.
  [[nodiscard]] bool holds(LeasedWork work) const { return held_.at(static_cast<std::size_t>(work)); }

 private:
  const Uuid holder_;
  std::array<std::atomic<bool>, leased_work_count> held_{};
};

}  // namespace keyward::domain
