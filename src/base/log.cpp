#include "base/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "base/clock.hpp"

namespace keyward {

namespace {

std::atomic<LogLevel> lowest_level{LogLevel::info};

thread_local const LogContext* current_context = nullptr;

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

struct CodePoint {
  char32_t value = 0;
  std::size_t length_bytes = 0;  // 0: not valid UTF-8 here
};

CodePoint decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return {};
    value = value << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> lowest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lowest[length] || value > 0x10ffff || surrogate) return {};
  return {value, length};
}

/// Control characters (C0, DEL, C1), line separators, and the marks that turn the writing direction around.
bool must_escape(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}  // namespace

std::string to_log_json(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const auto [value, length] = decode_utf8(text);
    if (length == 0) {
      out += "\\ufffd";
      text.remove_prefix(1);
      continue;
    }
    if (value == '"' || value == '\\') {
      out += '\\';
      out += static_cast<char>(value);
    } else if (must_escape(value)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(value));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
  return out;
}

void set_log_level(LogLevel level) { lowest_level = level; }

const LogContext* log_context() { return current_context; }

const LogContext* set_log_context(const LogContext* context) {
  return std::exchange(current_context, context);
}

LogContext copy_log_context() { return current_context == nullptr ? LogContext{} : *current_context; }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (level < lowest_level.load()) return;
  auto line = fmt::format(R"({{"time":"{}","level":"{}","event":{})", to_rfc3339(SystemClock{}.now()),
                          level_names.at(static_cast<std::size_t>(level)), to_log_json(event));
  const auto append = [&line](const LogField& field) {
    line += fmt::format(",{}:{}", to_log_json(field.first), to_log_json(field.second));
  };
  for (const auto& field : fields) append(field);
  if (const auto* context = current_context) {
    const std::array<LogField, 3> whose{LogField{"request_id", context->request_id},
                                        LogField{"trace_id", context->trace_id},
                                        LogField{"parent_id", context->parent_id}};
    for (const auto& field : whose) {
      const bool said =
          std::ranges::any_of(fields, [&](const auto& own) { return own.first == field.first; });
      if (!field.second.empty() && !said) append(field);
    }
  }
  line += "}\n";
  if (LogWriter::take(line)) return;
  // One write(2) a line: lines of two threads do not mix. A log that cannot be written has nobody to tell.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace keyward
