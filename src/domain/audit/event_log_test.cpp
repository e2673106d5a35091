#include "domain/audit/event_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/json/parse.hpp>

namespace keyward::domain {
namespace {

constexpr Time start{seconds{1'800'000'000}};

TEST(EventLog, L2_every_naughty_text_stays_on_its_line) {
  for (const std::string_view text : {"a\r\nb", "\x1b[31mred", "x\u2028y\u2029z", "\u202eevil", "\xff\xfe",
                                      "\"},{\"event\":\"forged", "\\", "\u0085", "\x7f"}) {
    const auto line = to_json_line(
        {.name = "authn_login_fail", .address = std::string{text}, .user_agent = std::string{text}}, start);
    for (const std::string_view banned :
         {"\r", "\n", "\x1b", "\u2028", "\u2029", "\u202e", "\u0085", "\x7f"}) {
      EXPECT_EQ(line.find(banned), std::string::npos) << line;
    }
    const auto parsed = boost::json::parse(line);  // throws when it is no JSON
    EXPECT_EQ(parsed.at("event").as_string(), "authn_login_fail");
    EXPECT_EQ(parsed.as_object().size(), 4U) << line;
  }
}

TEST(EventLog, absent_fields_are_left_out) {
  EXPECT_EQ(to_json_line({.name = "sys_startup"}, start),
            R"({"time":"2027-01-15T08:00:00Z","event":"sys_startup"})");
}

TEST(EventLog, writes_all_that_waits_before_it_ends) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  constexpr int count = 200;
  {
    const ManualClock clock{start};
    EventLog log{ends[1], nullptr, nullptr, clock};
    for (int i = 0; i < count; ++i) log.emit({.name = "authn_login_fail", .reason = std::to_string(i)});
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  EXPECT_EQ(std::ranges::count(text, '\n'), count);
}

}  // namespace
}  // namespace keyward::domain
