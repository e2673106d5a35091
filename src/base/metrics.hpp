// Counters and histograms: what the server counts of itself, for /metrics.
//
// Whoever has something to count owns it; app/metrics.cpp reads all of them when it is asked. So counting is
// one or two relaxed atomic additions, without a lock, a registry or a look-up; what only one thread counts
// does without the locked instruction too. Labels have values that are known when the program is built or
// started: nothing that a client sends makes a series (a flood of paths or names would fill the memory).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace keyward {

/// Which threads count.
enum class Writers : std::uint8_t { one, many };

template <Writers writers>
class BasicCounter {
 public:
  void add(std::uint64_t count = 1) {
    if constexpr (writers == Writers::one) {
      value_.store(value() + count, std::memory_order_relaxed);
    } else {
      value_.fetch_add(count, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};
using Counter = BasicCounter<Writers::many>;

/// Upper bounds of a histogram's buckets, ascending, in whole numbers; `per_unit` of them are one of what is
/// shown.
struct Buckets {
  static constexpr std::size_t max = 15;
  std::span<const std::uint64_t> bounds;
  double per_unit = 1;
};

namespace detail {
inline constexpr std::array<std::uint64_t, 15> duration_bounds_ns{
    100'000,     250'000,     500'000,       1'000'000,     2'500'000,
    5'000'000,   10'000'000,  25'000'000,    50'000'000,    100'000'000,
    250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 10'000'000'000};
inline constexpr std::array<std::uint64_t, 7> group_bounds{1, 2, 4, 8, 16, 32, 64};
}  // namespace detail
/// Nanoseconds, shown as seconds.
inline constexpr Buckets duration_buckets{.bounds = detail::duration_bounds_ns, .per_unit = 1e9};
inline constexpr Buckets group_buckets{.bounds = detail::group_bounds};

/// A histogram at one moment.
struct HistogramValues {
  Buckets buckets;
  std::array<std::uint64_t, Buckets::max + 1> counts{};  // each bucket's own; behind the bounds: above them
  std::uint64_t sum = 0;

  [[nodiscard]] std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const auto one : counts) all += one;
    return all;
  }
  HistogramValues& operator+=(const HistogramValues& other) {
    for (std::size_t i = 0; i < counts.size(); ++i) counts.at(i) += other.counts.at(i);
    sum += other.sum;
    return *this;
  }
};

template <Writers writers>
class BasicHistogram {
 public:
  explicit BasicHistogram(Buckets buckets = duration_buckets) : buckets_(buckets) {}

  void observe(std::uint64_t value) {
    std::size_t bucket = 0;
    while (bucket < buckets_.bounds.size() && value > buckets_.bounds[bucket]) ++bucket;
    counts_[bucket].add();
    sum_.add(value);
  }
  void observe(std::chrono::nanoseconds duration) {
    observe(duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count()));
  }
  [[nodiscard]] HistogramValues values() const {
    HistogramValues values{.buckets = buckets_};
    for (std::size_t i = 0; i < counts_.size(); ++i) values.counts.at(i) = counts_.at(i).value();
    values.sum = sum_.value();
    return values;
  }

 private:
  Buckets buckets_;
  std::array<BasicCounter<writers>, Buckets::max + 1> counts_;
  BasicCounter<writers> sum_;
};
using Histogram = BasicHistogram<Writers::many>;

/// A count for each of some words, which are constants. A word that is not among them counts as "other".
class WordCounts {
 public:
  explicit WordCounts(std::span<const std::string_view> words) : words_(words), counts_(words.size() + 1) {}

  void add(std::string_view word) {
    std::size_t place = 0;
    while (place < words_.size() && words_[place] != word) ++place;
    counts_[place].add();
  }
  /// `f(word, count)` for each.
  template <class F>
  void for_each(F f) const {
    for (std::size_t i = 0; i < words_.size(); ++i) f(words_[i], counts_[i].value());
    f(std::string_view{"other"}, counts_.back().value());
  }

 private:
  std::span<const std::string_view> words_;
  std::vector<Counter> counts_;
};

/// For measuring: nothing is decided by it, so it is no Clock that a test would set.
class Stopwatch {
 public:
  [[nodiscard]] std::chrono::nanoseconds passed() const { return std::chrono::steady_clock::now() - begun_; }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace keyward
