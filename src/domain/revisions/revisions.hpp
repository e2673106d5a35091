// Revisions: how a cache on any loop, and in any process on this data folder, learns that an account has
// changed.
//
// 4096 counters in a small file that every process maps. Whoever commits a change to an account or its
// sessions bumps the account's counter after the commit; whoever caches what it read keeps the counter's
// value from *before* the read, and trusts its copy only while the counter still says the same. So the
// command line's `user disable` is seen by a running server at its next request. Two accounts may share a
// counter: that costs one more read, never a wrong answer. A process killed between commit and bump is why
// cached copies also have an age limit (limits::cached_account_max_age).
//
// Nodes on other machines are told by whoever announces the bumps (announce_to); what is not told to them,
// the age limit makes good.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
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
  void bump_account(const Uuid& id) { bump(number_of(id)); }

  /// The signing keys have one counter for all of them,
  [[nodiscard]] std::uint64_t of_keys() const { return counters_[keys_at].load(std::memory_order_acquire); }
  void bump_keys() { bump(keys_at); }

  /// and so have the permissions of roles. Which account has which role counts as a change to the account.
  [[nodiscard]] std::uint64_t of_roles() const { return counters_[roles_at].load(std::memory_order_acquire); }
  void bump_roles() { bump(roles_at); }

  /// Called with the counter's number at each bump, on whichever thread that is. Before the first one.
  void announce_to(std::function<void(std::size_t number)> announce) { announce_ = std::move(announce); }
  /// What another node announced; a number that is none of ours does nothing.
  void take_over(std::size_t number) {
    if (number < counters_.size()) counters_[number].fetch_add(1, std::memory_order_acq_rel);
  }
  /// After a time in which nobody could tell.
  void take_over_all() {
    for (auto& counter : counters_) counter.fetch_add(1, std::memory_order_acq_rel);
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  static_assert(Counter::is_always_lock_free, "the counters are shared between processes");
  static constexpr std::size_t count = 4096;
  static constexpr std::size_t keys_at = 0;
  static constexpr std::size_t roles_at = 1;
  static constexpr std::size_t accounts_from = 2;

  explicit Revisions(std::span<Counter> counters) : counters_(counters) {}
  static std::size_t number_of(const Uuid& id) {
    return accounts_from + std::hash<Uuid>{}(id) % (count - accounts_from);
  }
  [[nodiscard]] Counter& counter(const Uuid& id) const { return counters_[number_of(id)]; }
  void bump(std::size_t number) {
    counters_[number].fetch_add(1, std::memory_order_acq_rel);
    if (announce_) announce_(number);
  }

  std::span<Counter> counters_;
  std::function<void(std::size_t)> announce_;
};

}  // namespace keyward::domain
