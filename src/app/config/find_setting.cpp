// Settings by their names: in files, in the environment, and misspelt.
#include <algorithm>
#include <numeric>
#include <vector>

#include "app/config/settings.hpp"

namespace keyward::app {
namespace {

// Changes of one character (insert, delete, replace) that make one text of the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view after_dot(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

}  // namespace

const Setting* find_setting(std::string_view key) {
  const auto all = settings();
  const auto found = std::ranges::find(all, key, &Setting::key);
  return found == all.end() ? nullptr : &*found;
}

std::string variable_of(const Setting& setting) {
  std::string name = setting.target != nullptr ? "KEYWARD_" : "KEYWARD_PROVIDERS_NAME_";
  for (const char c : setting.key)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

bool is_secret(const Setting& setting) {
  Config scratch;
  ProviderConfig scratch_provider;
  const Target target =
      setting.target != nullptr ? setting.target(scratch) : setting.provider_target(scratch_provider);
  return std::holds_alternative<MasterKey*>(target) || std::holds_alternative<StorageUrl*>(target) ||
         std::holds_alternative<Secret*>(target);
}

std::string_view nearest_setting(std::string_view key) {
  // A right name in the wrong section (or in none) is near too, but less near than a slip of the pen.
  const auto distance = [&](const Setting& setting) {
    const std::size_t whole = edit_distance(key, setting.key);
    const std::size_t name = edit_distance(after_dot(key), after_dot(setting.key)) * 2 + 2;
    return std::min(whole, name);
  };
  return std::ranges::min_element(settings(), {}, distance)->key;
}

}  // namespace keyward::app
