#include "fuzz.hpp"

#include <fmt/format.h>

#include "text/unicode.hpp"

namespace keyward::fuzz {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

bool add_target(std::string_view name, Function run) {
  targets().push_back({name, run});
  return true;
}

void must_hold(bool holds, std::string_view sentence, const std::source_location& where) {
  if (holds) return;
  const std::string_view path = where.file_name();
  throw Violation(
      fmt::format("{}:{}: this must hold: {}", path.substr(path.rfind('/') + 1), where.line(), sentence));
}

bool is_inside(std::string_view part, std::string_view whole) {
  if (part.empty()) return true;
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool is_sentence(std::string_view text) {
  return !text.empty() && text::is_utf8(text) && !text::has_control_character(text);
}

}  // namespace keyward::fuzz
