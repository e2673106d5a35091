// RouteCounts: what was answered at one route, by status, and how long it took.
#pragma once

#include <array>
#include <cstdint>

#include "base/metrics.hpp"

namespace keyward::web {

/// The statuses that are told apart; any other one is the last, 0.
inline constexpr std::array<unsigned, 24> counted_statuses{200, 201, 204, 303, 304, 308, 400, 401,
                                                           403, 404, 405, 408, 409, 412, 413, 414,
                                                           415, 417, 422, 429, 431, 500, 503, 0};

struct RouteCounts {
  std::array<std::uint64_t, counted_statuses.size()> by_status{};
  HistogramValues durations{.buckets = duration_buckets};  // from the whole request to the answer
};

}  // namespace keyward::web
