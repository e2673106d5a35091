// Lease: for how long a mail that was taken is ours, by a clock that nobody sets.
//
// The row says it in the time of day, for everybody else. An attempt that lasts (a server that looks at the
// content before it answers) renews it when half of it is over, so a lease need not be as long as the
// longest attempt: the mail of a process that died is due again soon.
#pragma once

#include <chrono>

#include "base/uuid.hpp"

namespace keyward::mail {

class Lease {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  /// `taken`: from before the row was written, so that it is over here before it is over for others.
  Lease(Uuid id, std::chrono::seconds length, SteadyTime taken) : id_(id), length_(length), taken_(taken) {}

  [[nodiscard]] const Uuid& id() const { return id_; }
  [[nodiscard]] std::chrono::seconds length() const { return length_; }
  [[nodiscard]] bool is_over(SteadyTime now) const { return now >= taken_ + length_; }
  [[nodiscard]] bool is_half_over(SteadyTime now) const { return now >= taken_ + length_ / 2; }
  void renew(SteadyTime now) { taken_ = now; }

 private:
  Uuid id_;
  std::chrono::seconds length_;
  SteadyTime taken_;
};

}  // namespace keyward::mail
