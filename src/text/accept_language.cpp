#include "text/accept_language.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <vector>

namespace keyward::text {

namespace {

constexpr std::size_t ranges_max = 32;
constexpr std::size_t range_max_bytes = 35;  // RFC 5646 §4.4.1
constexpr std::size_t subtag_max_bytes = 8;
constexpr int full_weight = 1000;

struct LanguageRange {
  std::string_view tag;
  int weight;  // in thousandths
};

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
bool is_letter(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_same(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, to_lower, to_lower);
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// RFC 4647 §2.1, without `*`.
bool is_range(std::string_view text) {
  if (text.size() > range_max_bytes) return false;
  bool first = true;
  for (const auto part : std::views::split(text, '-')) {
    const std::string_view subtag{part};
    const bool good =
        std::ranges::all_of(subtag, [&](char c) { return is_letter(c) || (!first && is_digit(c)); });
    if (!good || subtag.empty() || subtag.size() > subtag_max_bytes) return false;
    first = false;
  }
  return !first;
}

/// RFC 9110 §12.4.2: from 0 to 1 with three decimals at most.
std::optional<int> parse_weight(std::string_view text) {
  constexpr std::size_t longest = 5;
  if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] == '1' ? full_weight : 0;
  int unit = full_weight;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (!is_digit(c)) return std::nullopt;
    weight += (c - '0') * (unit /= 10);
  }
  if (weight > full_weight) return std::nullopt;
  return weight;
}

std::optional<LanguageRange> parse_element(std::string_view element) {
  const auto semicolon = element.find(';');
  const auto tag = trim(element.substr(0, semicolon));
  if (!is_range(tag)) return std::nullopt;
  if (semicolon == std::string_view::npos) return LanguageRange{tag, full_weight};
  const auto parameter = trim(element.substr(semicolon + 1));
  if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) return std::nullopt;
  const auto weight = parse_weight(parameter.substr(2));
  if (!weight) return std::nullopt;
  return LanguageRange{tag, *weight};
}

/// The best-liked first; equally liked ones as they stand.
std::vector<LanguageRange> parse_header(std::string_view header) {
  std::vector<LanguageRange> ranges;
  for (const auto element : std::views::split(header, ',') | std::views::take(ranges_max)) {
    const auto range = parse_element(std::string_view{element});
    if (!range) continue;
    const auto place =
        std::ranges::upper_bound(ranges, range->weight, std::ranges::greater{}, &LanguageRange::weight);
    ranges.insert(place, *range);
  }
  return ranges;
}

/// Without its last subtag, and without a single letter that then stands last (RFC 4647 §3.4).
std::string_view shorten(std::string_view tag) {
  const auto dash = tag.rfind('-');
  if (dash == std::string_view::npos) return {};
  tag = tag.substr(0, dash);
  if (tag.size() >= 2 && tag[tag.size() - 2] == '-') tag.remove_suffix(2);
  return tag;
}

}  // namespace

std::string choose_locale(std::string_view header, std::span<const std::string> available) {
  const auto ranges = parse_header(header);
  const auto is_excluded = [&](std::string_view tag) {
    return std::ranges::any_of(
        ranges, [&](const LanguageRange& range) { return range.weight == 0 && is_same(range.tag, tag); });
  };
  for (const auto& range : ranges) {
    if (range.weight == 0) break;  // these stand last
    for (auto tag = range.tag; !tag.empty(); tag = shorten(tag)) {
      const auto found =
          std::ranges::find_if(available, [&](const auto& known) { return is_same(known, tag); });
      if (found != available.end() && !is_excluded(tag)) return *found;
    }
  }
  return {};
}

}  // namespace keyward::text
