// RouteMeters: counts answers by route and status, on one loop. Only that loop writes, anybody reads.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/metrics.hpp"
#include "web/route_counts.hpp"

namespace keyward::web::engine {

class RouteMeters {
 public:
  /// For routes from 1 to `route_count`, and 0 for what has none.
  explicit RouteMeters(std::size_t route_count) : meters_(route_count + 1) {}

  void count(std::size_t route, unsigned status, std::chrono::nanoseconds duration) {
    auto& meter = meters_[route < meters_.size() ? route : 0];
    meter.by_status[place_of(status)].add();
    meter.durations.observe(duration);
  }
  /// What never became a request.
  void count_refusal(unsigned status) { meters_.front().by_status[place_of(status)].add(); }

  void add_to(std::vector<RouteCounts>& sums) const {
    sums.resize(std::max(sums.size(), meters_.size()));
    for (std::size_t i = 0; i < meters_.size(); ++i) {
      for (std::size_t k = 0; k < counted_statuses.size(); ++k)
        sums[i].by_status.at(k) += meters_[i].by_status.at(k).value();
      sums[i].durations += meters_[i].durations.values();
    }
  }

 private:
  struct Meter {
    std::array<BasicCounter<Writers::one>, counted_statuses.size()> by_status;
    BasicHistogram<Writers::one> durations;
  };

  static std::size_t place_of(unsigned status) {
    const auto* place = std::ranges::find(counted_statuses, status);
    return std::min(static_cast<std::size_t>(place - counted_statuses.begin()), counted_statuses.size() - 1);
  }

  std::vector<Meter> meters_;
};

}  // namespace keyward::web::engine
