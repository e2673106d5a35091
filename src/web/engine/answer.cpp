#include "web/engine/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "web/engine/field_syntax.hpp"

namespace keyward::web::engine {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 7> security_headers{{
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
    {"X-Frame-Options", "DENY"},
}};
constexpr Pair transport_security{"Strict-Transport-Security", "max-age=31536000; includeSubDomains"};

// What the engine says itself: a handler that sets one of these would break the framing, or lie.
constexpr std::array<std::string_view, 9> engine_headers{
    "Content-Length", "Transfer-Encoding", "Connection", "Date", "Content-Type", "X-Request-Id",
    "Server",         "Keep-Alive",        "Upgrade"};

bool is_engine_header(std::string_view name) {
  return std::ranges::any_of(engine_headers,
                             [&](std::string_view known) { return equal_without_case(known, name); });
}

void append_line(std::string& output, std::string_view name, std::string_view value) {
  output.append(name).append(": ").append(value).append("\r\n");
}

bool replaces(const Response& response, std::string_view name) {
  return std::ranges::any_of(response.headers,
                             [&](const auto& own) { return equal_without_case(own.first, name); });
}

bool replaces_any(const Response& response) {
  return std::ranges::any_of(security_headers,
                             [&](const Pair& pair) { return replaces(response, pair.first); }) ||
         replaces(response, transport_security.first);
}

bool status_forbids_content(unsigned status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

AnswerWriter::AnswerWriter(bool strict_transport_security)
    : strict_transport_security_(strict_transport_security) {
  append_security_headers(security_block_, Response{});
}

bool AnswerWriter::is_sendable(const Response& response) {
  if (response.status < 200 || response.status > 599) return false;
  if (!response.content_type.empty() && !all(response.content_type, character::field_value)) return false;
  return std::ranges::all_of(response.headers, [](const auto& header) {
    return !header.first.empty() && all(header.first, character::token) &&
           all(header.second, character::field_value);
  });
}

bool AnswerWriter::has_content(const Response& response, const AnswerFacts& facts) {
  return !facts.is_head && !status_forbids_content(response.status) && !response.content().empty();
}

void AnswerWriter::append_head(std::string& output, const Response& response, const AnswerFacts& facts) {
  refresh_date();
  const std::string_view reason =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(response.status));
  const fmt::format_int status{response.status};
  output.append("HTTP/1.1 ").append(status.data(), status.size()).append(" ").append(reason).append("\r\n");
  output.append(date_line_);
  if (!status_forbids_content(response.status)) {
    if (!response.content_type.empty()) append_line(output, "Content-Type", response.content_type);
    const fmt::format_int length{response.content().size()};
    append_line(output, "Content-Length", {length.data(), length.size()});
  }
  append_line(output, "X-Request-Id", facts.request_id);
  if (response.headers.empty()) {
    output.append(security_block_);
  } else {
    append_security_headers(output, response);
    for (const auto& [name, value] : response.headers) {
      if (!is_engine_header(name)) append_line(output, name, value);
    }
  }
  if (facts.close) {
    output.append("Connection: close\r\n");
  } else if (facts.is_http_1_0) {
    output.append("Connection: keep-alive\r\n");
  }
  output.append("\r\n");
}

void AnswerWriter::append_security_headers(std::string& output, const Response& response) const {
  if (!security_block_.empty() && !replaces_any(response)) {
    output.append(security_block_);
    return;
  }
  for (const auto& [name, value] : security_headers) {
    if (!replaces(response, name)) append_line(output, name, value);
  }
  if (strict_transport_security_ && !replaces(response, transport_security.first)) {
    append_line(output, transport_security.first, transport_security.second);
  }
}

void AnswerWriter::refresh_date() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec == date_s_) return;
  date_s_ = now.tv_sec;
  static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&date_s_, &utc);  // not strftime: its names follow the locale
  date_line_ = fmt::format("Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                           days.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                           months.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                           utc.tm_min, utc.tm_sec);
}

}  // namespace keyward::web::engine
