// DatabaseCounts: counts in the table rate_limits, shared by all nodes on the database, one serializable
// transaction per call, for however many keys it is.
//
// Windows are measured by the server's clock where there is one (PostgreSQL): no node's matters. On SQLite,
// where the one node's clock may be set, what the node remembers (KnownCount, by a steady clock) keeps a
// window open that the clock would end.
//
// Threat: a flood at a locked account that becomes a flood of commits. Answer: a refusal is read, of all keys
// before any is written; it is written once, that it was told.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/limits.hpp"
#include "domain/limits/redis_counts.hpp"
#include "storage/database.hpp"

namespace keyward::domain {

class DatabaseCounts {
 public:
  explicit DatabaseCounts(storage::Database& database) : database_(database) {}

  struct Wanted {
    Bucket bucket;
    KnownCount before;
    std::uint64_t new_window = 0;  // the number of the window, if one begins; 0: any
  };
  /// From each or from none, as RateLimiter::take_each. Throw storage::Failure.
  Task<std::vector<Counted>> take(std::vector<Wanted> all, Time now);
  Task<std::vector<KnownCount>> settle(std::vector<Settled> all);

  struct Pages {
    std::int64_t rows = limits::rate_limit_tell_page;
    std::int64_t rows_in_all = limits::rate_limit_tell_max;
  };
  /// Gives those whose windows last to `use`, the longest first, a page at a time, each read by itself.
  /// False: there are more than may be given in all.
  bool blocking_each(Pages pages, const std::function<void(const std::vector<KnownKey>&)>& use);

 private:
  storage::Database& database_;
};

/// In read closures: whether there is a row whose window is over.
bool has_stale_counts(storage::Transaction& transaction);
/// Removes such rows, some at a time; how many.
std::int64_t sweep_counts(storage::Transaction& transaction);

}  // namespace keyward::domain
