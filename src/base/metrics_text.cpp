#include "base/metrics_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace keyward {

namespace {

constexpr std::array<std::string_view, 3> type_names{"counter", "gauge", "histogram"};

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`; a label's without the colons.
bool is_name(std::string_view text, bool is_label) {
  const auto fits = [&](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (c >= '0' && c <= '9') || (c == ':' && !is_label);
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, fits);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && quotes)) out += '\\';
    out += c;
  }
}

std::string to_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

void MetricsText::begin(std::string_view name, MetricType type, std::string_view help) {
  if (!is_name(name, false)) throw std::logic_error("no name for a metric: " + std::string{name});
  if (std::ranges::find(names_, name) != names_.end())
    throw std::logic_error("two metrics of one name: " + std::string{name});
  names_.emplace_back(name);
  name_ = name;
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(text_, help, false);
  text_ += fmt::format("\n# TYPE {} {}\n", name, type_names.at(static_cast<std::size_t>(type)));
}

void MetricsText::sample(MetricLabels labels, double value) { add({}, labels, {}, to_number(value)); }

void MetricsText::sample(MetricLabels labels, const HistogramValues& values) {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < values.buckets.bounds.size(); ++i) {
    below += values.counts.at(i);
    const auto bound = to_number(static_cast<double>(values.buckets.bounds[i]) / values.buckets.per_unit);
    add("_bucket", labels, {"le", bound}, std::to_string(below));
  }
  const auto all = std::to_string(values.count());
  add("_bucket", labels, {"le", "+Inf"}, all);
  add("_sum", labels, {}, to_number(static_cast<double>(values.sum) / values.buckets.per_unit));
  add("_count", labels, {}, all);
}

void MetricsText::counter(std::string_view name, std::string_view help, std::string_view label,
                          const WordCounts& counts) {
  begin(name, MetricType::counter, help);
  counts.for_each([&](std::string_view word, std::uint64_t count) { sample({{label, word}}, count); });
}

void MetricsText::add(std::string_view suffix, MetricLabels labels, const MetricLabel& last,
                      std::string_view value) {
  text_.append(name_).append(suffix);
  bool first = true;
  const auto append_label = [&](const MetricLabel& label) {
    if (!is_name(label.first, true))
      throw std::logic_error("no name for a label: " + std::string{label.first});
    text_.append(std::exchange(first, false) ? "{" : ",").append(label.first).append("=\"");
    append_escaped(text_, label.second, true);
    text_ += '"';
  };
  for (const auto& label : labels) append_label(label);
  if (!last.first.empty()) append_label(last);
  if (!first) text_ += '}';
  text_.append(" ").append(value).append("\n");
}

}  // namespace keyward
