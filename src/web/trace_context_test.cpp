#include "web/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyward::web {
namespace {

const std::string trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent_id = "00f067aa0ba902b7";
const std::string good = "00-" + trace_id + "-" + parent_id + "-01";

TEST(TraceParent, the_example_of_the_specification) {
  const auto parsed = parse_traceparent(good);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->trace_id, trace_id);
  EXPECT_EQ(parsed->parent_id, parent_id);
}

TEST(TraceParent, what_is_taken) {
  for (const auto& text : {
           "00-" + trace_id + "-" + parent_id + "-00",
           "00-" + trace_id + "-" + parent_id + "-ff",   // flags that are not yet known
           "cc-" + trace_id + "-" + parent_id + "-01",   // a later version …
           "cc-" + trace_id + "-" + parent_id + "-01-",  // … may say more
           "01-" + trace_id + "-" + parent_id + "-09-what.it.wants",
       }) {
    const auto parsed = parse_traceparent(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->trace_id, trace_id);
    EXPECT_EQ(parsed->parent_id, parent_id);
  }
}

TEST(TraceParent, what_is_ignored) {
  const std::string zeros(32, '0');
  for (const auto& text : {
           std::string{},
           std::string{"00"},
           good.substr(0, 54),
           good + "-",
           good + "-more",  // version 00 is 55 characters
           good + "1",
           "cc-" + trace_id + "-" + parent_id + "-01.more",  // a later version goes on with a dash
           "ff-" + trace_id + "-" + parent_id + "-01",       // forbidden
           "0G-" + trace_id + "-" + parent_id + "-01",
           "0F-" + trace_id + "-" + parent_id + "-01",  // upper case
           "00-" + zeros + "-" + parent_id + "-01",
           "00-" + trace_id + "-" + zeros.substr(16) + "-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + parent_id + "-01",
           "00-" + trace_id + "-00F067AA0BA902B7-01",
           "00-" + trace_id + "-" + parent_id + "-0x",
           "00_" + trace_id + "-" + parent_id + "-01",
           "00-" + trace_id + "_" + parent_id + "-01",
           "00-" + trace_id + "-" + parent_id + "_01",
           " " + good.substr(0, 54),
           "00-" + trace_id.substr(1) + "-" + parent_id + "-011",
           "00-" + trace_id.substr(1) + "\xff-" + parent_id + "-01",
           good + ", " + good,
       }) {
    EXPECT_FALSE(parse_traceparent(text)) << text;
  }
}

}  // namespace
}  // namespace keyward::web
