// The operational log: one JSON object a line on standard error. (Security events are domain/audit's, on
// standard output.)
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace keyward {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string_view>;

/// Lines below `level` are dropped from now on. Default: info.
void set_log_level(LogLevel level);

/// `log(LogLevel::warning, "database_busy", {{"file", path}});` writes one line whatever the fields hold:
/// control characters, ANSI escapes and U+2028/2029 are escaped, invalid UTF-8 is replaced (L2). Never pass a
/// secret.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

/// `text` as a JSON string with its quotes, safe to stand in a line of any log.
std::string to_log_json(std::string_view text);

}  // namespace keyward
