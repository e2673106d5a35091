// MetricsText: Prometheus's text format, version 0.0.4.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details. Threat: a value that
// begins a line of its own (label values and help are escaped). A name that is none, or is there already, is
// our own mistake and throws.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.hpp"

namespace keyward {

enum class MetricType : std::uint8_t { counter, gauge, histogram };
using MetricLabel = std::pair<std::string_view, std::string_view>;
using MetricLabels = std::initializer_list<MetricLabel>;

class MetricsText {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  /// The samples that follow are this metric's. Throws std::logic_error.
  void begin(std::string_view name, MetricType type, std::string_view help);
  void sample(MetricLabels labels, std::integral auto value) { add({}, labels, {}, std::to_string(value)); }
  void sample(MetricLabels labels, double value);
  /// `_bucket`, `_sum` and `_count`.
  void sample(MetricLabels labels, const HistogramValues& values);

  /// A metric of one sample without labels.
  void counter(std::string_view name, std::string_view help, auto value) {
    begin(name, MetricType::counter, help);
    sample({}, value);
  }
  void gauge(std::string_view name, std::string_view help, auto value) {
    begin(name, MetricType::gauge, help);
    sample({}, value);
  }
  void histogram(std::string_view name, std::string_view help, const HistogramValues& values) {
    begin(name, MetricType::histogram, help);
    sample({}, values);
  }
  /// A counter with a sample for each word.
  void counter(std::string_view name, std::string_view help, std::string_view label,
               const WordCounts& counts);

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void add(std::string_view suffix, MetricLabels labels, const MetricLabel& last, std::string_view value);

  std::string text_;
  std::string name_;
  std::vector<std::string> names_;
};

}  // namespace keyward
