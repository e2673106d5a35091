#include "base/clock.hpp"

#include <algorithm>

namespace keyward {

namespace {

// RFC 3339 §1: of the years 0000 to 9999.
using namespace std::chrono_literals;
constexpr Time first_time = std::chrono::sys_days{0y / 1 / 1};
constexpr Time last_time = Time{std::chrono::sys_days{9999y / 12 / 31} + 24h} - microseconds{1};

/// Reads exactly `digits` decimal digits at `position`, and moves it.
std::optional<int> read_number(std::string_view text, std::size_t& position, std::size_t digits) {
  if (position + digits > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(position, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  position += digits;
  return value;
}

bool read_char(std::string_view text, std::size_t& position, char expected) {
  if (position >= text.size() || text[position] != expected) return false;
  ++position;
  return true;
}

/// The fraction of a second in microseconds; further digits are cut off.
std::optional<int> read_fraction(std::string_view text, std::size_t& position) {
  if (!read_char(text, position, '.')) return 0;
  int value_us = 0;
  int digits = 0;
  for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position, ++digits) {
    if (digits < 6) value_us = value_us * 10 + (text[position] - '0');
  }
  if (digits == 0 || digits > 12) return std::nullopt;
  for (; digits < 6; ++digits) value_us *= 10;
  return value_us;
}

std::optional<std::chrono::minutes> read_offset(std::string_view text, std::size_t& position) {
  if (read_char(text, position, 'Z') || read_char(text, position, 'z')) return std::chrono::minutes{0};
  const bool negative = position < text.size() && text[position] == '-';
  if (!negative && (position >= text.size() || text[position] != '+')) return std::nullopt;
  ++position;
  const auto hours = read_number(text, position, 2);
  if (!hours || !read_char(text, position, ':')) return std::nullopt;
  const auto minutes = read_number(text, position, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{*hours * 60 + *minutes};
  return negative ? -offset : offset;
}

/// The lowest `count` decimal digits of `number`, at `at`.
void write_digits(std::string& text, std::size_t at, std::size_t count, std::int64_t number) {
  for (auto place = at + count; place-- > at; number /= 10)
    text[place] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string to_rfc3339(Time time) {
  time = std::clamp(time, first_time, last_time);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  // By hand: it stands in every answer about an account and in every event, and fmt takes ten times as long.
  std::string text = "0000-00-00T00:00:00.000000Z";
  write_digits(text, 0, 4, static_cast<int>(date.year()));
  write_digits(text, 5, 2, static_cast<unsigned>(date.month()));
  write_digits(text, 8, 2, static_cast<unsigned>(date.day()));
  write_digits(text, 11, 2, clock.hours().count());
  write_digits(text, 14, 2, clock.minutes().count());
  write_digits(text, 17, 2, clock.seconds().count());
  if (const auto fraction_us = clock.subseconds().count(); fraction_us != 0) {
    write_digits(text, 20, 6, fraction_us);
  } else {
    text.replace(19, std::string::npos, "Z");
  }
  return text;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  const auto year = read_number(text, at, 4);
  if (!year || !read_char(text, at, '-')) return std::nullopt;
  const auto month = read_number(text, at, 2);
  if (!month || !read_char(text, at, '-')) return std::nullopt;
  const auto day = read_number(text, at, 2);
  if (!day || !(read_char(text, at, 'T') || read_char(text, at, 't'))) return std::nullopt;
  const auto hour = read_number(text, at, 2);
  if (!hour || !read_char(text, at, ':')) return std::nullopt;
  const auto minute = read_number(text, at, 2);
  if (!minute || !read_char(text, at, ':')) return std::nullopt;
  const auto second = read_number(text, at, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto fraction_us = read_fraction(text, at);
  const auto offset = fraction_us ? read_offset(text, at) : std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!offset || at != text.size() || !date.ok()) return std::nullopt;
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         seconds{*second} + microseconds{*fraction_us} - *offset;
}

}  // namespace keyward
