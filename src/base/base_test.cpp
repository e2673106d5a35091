#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"

namespace keyward {
namespace {

struct CountingRandom final : Random {
  std::uint8_t next = 0;
  void fill(std::span<std::uint8_t> bytes) override {
    for (auto& byte : bytes) byte = next++;
  }
};

TEST(Clock, rfc_3339_there_and_back) {
  for (const std::string_view text : {"1970-01-01T00:00:00Z", "2026-11-23T08:50:42.123456Z",
                                      "2000-02-29T23:59:59Z", "9999-12-31T23:59:59Z"}) {
    EXPECT_EQ(to_rfc3339(parse_rfc3339(text).value()), text);
  }
  EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-11-23T10:50:42+02:00").value()), "2026-11-23T08:50:42Z");
  EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-11-23T08:50:42.5Z").value()), "2026-11-23T08:50:42.500000Z");
}

TEST(Clock, a_time_that_rfc_3339_has_no_words_for_is_the_nearest_that_it_has) {
  EXPECT_EQ(to_rfc3339(Time::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(Time::min()), "0000-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(Time{microseconds{-1}}), "1969-12-31T23:59:59.999999Z");
}

TEST(Clock, what_is_no_time_is_refused) {
  for (const std::string_view text :
       {"", "2026-11-23", "2026-11-23T08:50:42", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T08:50:42.Z", "2026-11-23T08:50:42Zx", "+026-11-23T08:50:42Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Uuid, version_7_sorts_by_time_and_reads_back) {
  CountingRandom random;
  const auto early = Uuid::make_v7(Time{seconds{1'800'000'000}}, random);
  const auto late = Uuid::make_v7(Time{seconds{1'800'000'001}}, random);
  for (int us = 0; us < 2000; ++us) {
    const Time now{microseconds{1'800'000'000'000'000 + us}};
    EXPECT_LT(Uuid::make_v7(now, random).to_string(),
              Uuid::make_v7(now + microseconds{1}, random).to_string());
  }
  EXPECT_LT(early, late);
  EXPECT_EQ(Uuid::parse(early.to_string()), early);
  EXPECT_EQ(early.to_string()[14], '7');
  EXPECT_TRUE(std::string_view{"89ab"}.contains(early.to_string()[19]));
}

TEST(Uuid, other_texts_are_refused) {
  for (const std::string_view text :
       {"", "0", "01234567-89ab-7def-8123-456789abcde", "01234567-89ab-7def-8123-456789abcdeg",
        "0123456789ab7def8123456789abcdef0000", "{1234567-89ab-7def-8123-456789abcde}"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Secret, moves_and_leaves_nothing_behind) {
  Secret one{std::string_view{"hunter2"}};
  const Secret two{std::move(one)};
  EXPECT_EQ(two.text(), "hunter2");
  EXPECT_TRUE(one.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  std::string text = "a password that is longer than a small string";
  const auto* const place = text.data();
  const auto size = text.size();
  const auto taken = Secret::take(text);
  EXPECT_EQ(taken.size(), size);
  EXPECT_TRUE(std::all_of(place, place + size, [](char c) { return c == '\0'; }));
}

TEST(Log, a_line_says_on_whose_behalf_it_is) {
  const LogContext whose{.request_id = "r1", .trace_id = "t1", .parent_id = ""};
  testing::internal::CaptureStderr();
  {
    const LogScope scope{&whose};
    log(LogLevel::info, "a");
    log(LogLevel::info, "b", {{"request_id", "own"}});
    const LogScope nobody{nullptr};
    log(LogLevel::info, "c");
  }
  const auto lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find(R"("event":"a","request_id":"r1","trace_id":"t1"})"
                       "\n"),
            std::string::npos)
      << lines;
  EXPECT_NE(lines.find(R"("event":"b","request_id":"own","trace_id":"t1"})"
                       "\n"),
            std::string::npos)
      << lines;
  EXPECT_NE(lines.find(R"("event":"c"})"
                       "\n"),
            std::string::npos)
      << lines;
  EXPECT_EQ(log_context(), nullptr);
}

TEST(Log, a_writer_writes_all_of_it_before_it_ends) {
  testing::internal::CaptureStderr();
  for (int round = 0; round < 2; ++round) {
    const LogWriter writer;
    for (int i = 0; i < 100; ++i) log(LogLevel::info, "line");
  }
  log(LogLevel::info, "last");
  const auto lines = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 201);
  EXPECT_EQ(LogWriter::dropped_lines(), 0U);
}

TEST(Log, L2_control_characters_and_bad_utf8_are_encoded) {
  EXPECT_EQ(to_log_json("a\r\n\x1b[0m\u2028\u202e\x7f\"\\"),
            R"("a\u000d\u000a\u001b[0m\u2028\u202e\u007f\"\\")");
  EXPECT_EQ(to_log_json("ok\xff\xc3"), R"("ok\ufffd\ufffd")");
  EXPECT_EQ(to_log_json("Zoë 渡辺 😀"), "\"Zoë 渡辺 😀\"");
}

}  // namespace
}  // namespace keyward
