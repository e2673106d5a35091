#include "domain/audit/event_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <chrono>
#include <filesystem>

#include "crypto/system_random.hpp"
#include "domain/audit/audit_reader.hpp"
#include "storage/migrations.hpp"

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

TEST(EventLog, a_reader_that_stands_still_holds_up_neither_rows_nor_the_end) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("event_log_test." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto database = storage::Database::open({.path = folder / "keyward.db"}).value();
  ASSERT_TRUE(storage::blocking_migrate(*database, start));
  crypto::SystemRandom random;
  const crypto::MasterKey key = crypto::MasterKey::generate(random);
  AuditTrail trail{key, EmailInEvents::hashed, random};
  trail.attach(*database);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const ManualClock clock{start};
  constexpr std::size_t count = 1500;  // lines that a pipe has no place for
  std::chrono::steady_clock::time_point ending;
  {
    EventLog log{ends[1], &trail, database.get(), clock};
    for (std::size_t i = 0; i < count; ++i)
      log.emit({.name = "authn_login_fail",
                .user_agent = std::string(100, 'a'),
                .detail = std::to_string(i),
                .email = "ada@example.com"});
    log.finish_rows();
    EXPECT_EQ(database->blocking_read([](storage::Transaction& transaction) {
      return list_audit_events(transaction, {}, std::nullopt, 10'000).size();
    }),
              count);
    ending = std::chrono::steady_clock::now();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - ending, 5 * limits::log_stop_grace);

  std::size_t lines = 0;  // the thread that was left behind ends when somebody reads
  std::array<char, 4096> buffer{};
  while (lines < count) {
    const auto size = ::read(ends[0], buffer.data(), buffer.size());
    ASSERT_GT(size, 0);
    lines += static_cast<std::size_t>(std::count(buffer.begin(), buffer.begin() + size, '\n'));
  }
  database.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace keyward::domain
