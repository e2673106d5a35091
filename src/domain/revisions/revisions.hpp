// Revisions: how a cache on any loop, and in any process on this data folder, learns that an account has
// changed.
//
// 4096 counters in a small file that every process maps. Whoever commits a change to an account or its
// sessions bumps the account's counter after the commit; whoever caches what it read keeps the counter's
// value from *before* the read, and trusts its copy only while the counter still says the same. So the
// command line's `user disable` is seen by a running server at its next request. Two accounts may share a
// counter: that costs one more read, never a wrong answer. A process killed between commit and bump is why
// cached copies also have an age limit (limits::cached_account_max_age).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "base/error.hpp"
#include "base/uuid.hpp"

namespace keyward::domain {

class Revisions {
 public:
  /// Maps `folder`/revisions, making it (mode 0600) when it is not there.
  static Result<std::unique_ptr<Revisions>> open(const std::filesystem::path& folder);
  ~Revisions();
  Revisions(const Revisions&) = delete;
  Revisions& operator=(const Revisions&) = delete;

  [[nodiscard]] std::uint64_t of_account(const Uuid& id) const {
    return counter(id).load(std::memory_order_acquire);
  }
  void bump_account(const Uuid& id) { counter(id).fetch_add(1, std::memory_order_acq_rel); }

  /// The signing keys have one counter for all of them,
  [[nodiscard]] std::uint64_t of_keys() const { return counters_[keys_at].load(std::memory_order_acquire); }
  void bump_keys() { counters_[keys_at].fetch_add(1, std::memory_order_acq_rel); }

  /// and so have the permissions of roles. Which account has which role counts as a change to the account.
  [[nodiscard]] std::uint64_t of_roles() const { return counters_[roles_at].load(std::memory_order_acquire); }
  void bump_roles() { counters_[roles_at].fetch_add(1, std::memory_order_acq_rel); }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static_assert(Counter::is_always_lock_free, "the counters are shared between processes");
  static constexpr std::size_t count = 4096;
  static constexpr std::size_t keys_at = 0;
  static constexpr std::size_t roles_at = 1;
  static constexpr std::size_t accounts_from = 2;

  explicit Revisions(std::span<Counter> counters) : counters_(counters) {}
  [[nodiscard]] Counter& counter(const Uuid& id) const {
    return counters_[accounts_from + std::hash<Uuid>{}(id) % (count - accounts_from)];
  }

  std::span<Counter> counters_;
};

}  // namespace keyward::domain
