#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "base/metrics_text.hpp"

namespace keyward {
namespace {

TEST(Metrics, a_text_of_every_type) {
  MetricsText text;
  text.counter("requests_total", "Requests.", 3);
  text.gauge("temperature", "Outside.", -1.5);
  text.begin("by_route", MetricType::counter, "Of each.");
  text.sample({{"method", "GET"}, {"route", "/me"}}, std::uint64_t{18'446'744'073'709'551'615U});
  EXPECT_EQ(text.take(),
            "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total 3\n"
            "# HELP temperature Outside.\n# TYPE temperature gauge\ntemperature -1.5\n"
            "# HELP by_route Of each.\n# TYPE by_route counter\n"
            "by_route{method=\"GET\",route=\"/me\"} 18446744073709551615\n");
}

TEST(Metrics, what_would_end_a_line_or_a_value_is_escaped) {
  MetricsText text;
  text.begin("a", MetricType::gauge, "one\\two\nthree \"four\"");
  text.sample({{"b", "x\"y\\z\nforged 1"}}, 1);
  EXPECT_EQ(text.take(),
            "# HELP a one\\\\two\\nthree \"four\"\n# TYPE a gauge\na{b=\"x\\\"y\\\\z\\nforged 1\"} 1\n");
}

TEST(Metrics, numbers_that_are_none) {
  MetricsText text;
  text.begin("a", MetricType::gauge, "");
  text.sample({}, std::numeric_limits<double>::infinity());
  text.sample({}, -std::numeric_limits<double>::infinity());
  text.sample({}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(text.take(), "# HELP a \n# TYPE a gauge\na +Inf\na -Inf\na NaN\n");
}

TEST(Metrics, a_wrong_name_or_one_that_is_taken_is_a_mistake) {
  MetricsText text;
  for (const auto* name : {"", "1a", "a b", "a-b", "a{", "\xc3\xa4"})
    EXPECT_THROW(text.begin(name, MetricType::gauge, "x"), std::logic_error) << name;
  text.begin("a:b_1", MetricType::gauge, "x");
  EXPECT_THROW(text.begin("a:b_1", MetricType::gauge, "x"), std::logic_error);
  EXPECT_THROW(text.sample({{"a:b", "x"}}, 1), std::logic_error);
}

TEST(Metrics, buckets_are_cumulative_and_a_bound_belongs_to_its_bucket) {
  Histogram histogram{group_buckets};
  for (const std::uint64_t value : {1U, 2U, 2U, 3U, 64U, 65U, 1000U}) histogram.observe(value);
  MetricsText text;
  text.histogram("group", "Sizes.", histogram.values());
  EXPECT_EQ(text.take(),
            "# HELP group Sizes.\n# TYPE group histogram\n"
            "group_bucket{le=\"1\"} 1\ngroup_bucket{le=\"2\"} 3\ngroup_bucket{le=\"4\"} 4\n"
            "group_bucket{le=\"8\"} 4\ngroup_bucket{le=\"16\"} 4\ngroup_bucket{le=\"32\"} 4\n"
            "group_bucket{le=\"64\"} 5\ngroup_bucket{le=\"+Inf\"} 7\ngroup_sum 1137\ngroup_count 7\n");
}

TEST(Metrics, durations_are_shown_in_seconds) {
  Histogram histogram;
  histogram.observe(std::chrono::microseconds{100});
  histogram.observe(std::chrono::milliseconds{250});
  histogram.observe(std::chrono::nanoseconds{-5});  // no clock goes back, but a sum must not
  MetricsText text;
  text.begin("t", MetricType::histogram, "");
  text.sample({{"route", "/"}}, histogram.values());
  const auto shown = text.take();
  EXPECT_NE(shown.find("t_bucket{route=\"/\",le=\"0.0001\"} 2\n"), std::string::npos);
  EXPECT_NE(shown.find("t_bucket{route=\"/\",le=\"0.1\"} 2\n"), std::string::npos);
  EXPECT_NE(shown.find("t_bucket{route=\"/\",le=\"0.25\"} 3\n"), std::string::npos);
  EXPECT_NE(shown.find("t_sum{route=\"/\"} 0.2501\n"), std::string::npos);
}

TEST(Metrics, many_threads_lose_nothing) {
  Counter counter;
  Histogram histogram{group_buckets};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 10'000; ++k) {
          counter.add();
          histogram.observe(std::uint64_t{3});
        }
      });
    }
  }
  EXPECT_EQ(counter.value(), 40'000U);
  EXPECT_EQ(histogram.values().count(), 40'000U);
  EXPECT_EQ(histogram.values().sum, 120'000U);
}

TEST(Metrics, a_word_that_is_not_known_is_no_series_of_its_own) {
  constexpr std::array<std::string_view, 2> words{"yes", "no"};
  WordCounts counts{words};
  for (const auto* word : {"no", "no", "yes", "perhaps", "never", ""}) counts.add(word);
  MetricsText text;
  text.counter("answers_total", "Answers.", "answer", counts);
  EXPECT_EQ(text.take(),
            "# HELP answers_total Answers.\n# TYPE answers_total counter\nanswers_total{answer=\"yes\"} 1\n"
            "answers_total{answer=\"no\"} 2\nanswers_total{answer=\"other\"} 3\n");
}

}  // namespace
}  // namespace keyward
