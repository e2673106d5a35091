#include "app/doctor/finding.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace keyward::app {

std::string to_printable(std::string_view text) {
  constexpr std::string_view harmless = "\"\\";  // outside of JSON, and never a part of another character
  std::string out;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find_first_of(harmless));
    const auto escaped = to_log_json(piece);
    out += std::string_view{escaped}.substr(1, escaped.size() - 2);
    text.remove_prefix(piece.size());
    const auto next = std::min(text.find_first_not_of(harmless), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
  }
  return out;
}

std::string cut_foreign(std::string_view foreign, std::size_t code_points_max) {
  const std::size_t bytes_max = 4 * code_points_max;  // of what is no UTF-8
  std::size_t code_points = 0;
  for (std::size_t at = 0; at < foreign.size(); ++at) {
    const bool goes_on = (static_cast<unsigned char>(foreign[at]) & 0xc0U) == 0x80U;
    if (at == bytes_max || (!goes_on && code_points++ == code_points_max))
      return std::string{foreign.substr(0, at)} + "…";
  }
  return std::string{foreign};
}

}  // namespace keyward::app
