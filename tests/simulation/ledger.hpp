// Ledger: which contents of the database may be seen, and which may come back after a power cut.
//
// It knows contents by a hash of every row of the tables that matter. A commit that was answered leaves one
// possibility, the new one; a commit that failed, or whose process died in it, leaves two: whole or not at
// all. What is seen must be among them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "simulation/trace.hpp"
#include "storage/connection.hpp"

namespace keyward::simulation {

using ContentHash = std::uint64_t;

class Ledger {
 public:
  explicit Ledger(Trace& trace) : trace_(trace) {}

  void begin_with(ContentHash content) { visible_ = durable_ = {content}; }

  /// Somebody looks, and this is what is there.
  void see(ContentHash content, const char* who) {
    if (std::ranges::find(visible_, content) == visible_.end()) {
      trace_.violate(
          "the database holds what nobody committed ({}): an answered change is lost, half of one "
          "is there, or one that was undone",
          who);
    }
    visible_ = {content};
    if (is_after_power_cut_) durable_ = {content};
    is_after_power_cut_ = false;
  }
  void committed(ContentHash content) {
    if (visible_.size() == 1 && visible_.front() == content)
      return;  // it changed nothing, so nothing is synced
    visible_ = durable_ = {content};
    is_after_power_cut_ = false;
  }
  /// Whole or not at all.
  void doubt(ContentHash content) {
    visible_.push_back(content);
    durable_.push_back(content);
  }
  void power_cut() {
    visible_ = durable_;
    is_after_power_cut_ = true;
  }
  [[nodiscard]] bool is_in_doubt() const { return visible_.size() > 1 || is_after_power_cut_; }

 private:
  Trace& trace_;
  std::vector<ContentHash> visible_;
  std::vector<ContentHash> durable_;
  bool is_after_power_cut_ = false;
};

/// Of a database without tables.
ContentHash hash_of_nothing();
/// Of every row that matters, as this connection sees them.
ContentHash hash_content(storage::Connection& connection);

}  // namespace keyward::simulation
