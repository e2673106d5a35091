#include "domain/passwords/common_passwords.hpp"

#include <algorithm>
#include <array>

#include "base/secret.hpp"

namespace keyward::domain {
namespace {

// Each line is words between spaces; the words are sorted, within a line and from line to line.
constexpr auto lines = std::to_array<std::string_view>({
#include "domain/passwords/common_passwords.inc"
});

constexpr std::size_t longest_bytes = 64;

std::string_view first_word(std::string_view line) { return line.substr(1, line.find(' ', 1) - 1); }

}  // namespace

bool is_common_password(std::string_view password) {
  if (password.empty() || password.size() > longest_bytes || password.contains(' ')) return false;
  auto needle = Secret::of_size(password.size() + 2);
  const auto out = needle.mutable_bytes();
  std::ranges::fill(out, std::uint8_t{' '});
  std::ranges::transform(password, out.begin() + 1, [](char c) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    return static_cast<std::uint8_t>(is_upper ? c - 'A' + 'a' : c);
  });
  const auto word = needle.text().substr(1, password.size());
  const auto after = std::ranges::upper_bound(lines, word, {}, first_word);
  return after != lines.begin() && std::prev(after)->contains(needle.text());
}

std::size_t count_common_passwords() {
  std::size_t count = 0;
  for (const auto line : lines) count += static_cast<std::size_t>(std::ranges::count(line, ' ')) - 1;
  return count;
}

}  // namespace keyward::domain
