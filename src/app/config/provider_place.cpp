#include "app/config/provider_place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"

namespace keyward::app {
namespace {

constexpr std::string_view file_suffix = "_FILE";
constexpr std::string_view name_allowed =
    "has a name that is none: small letters, digits and dashes, a letter first, at most 32";

const Setting* find_key(std::string_view key) {
  const auto all = provider_settings();
  const auto found = std::ranges::find(all, key, &Setting::key);
  return found == all.end() ? nullptr : &*found;
}

std::string all_keys() {
  std::string text;
  for (const auto& setting : provider_settings()) text.append(text.empty() ? "" : ", ").append(setting.key);
  return text;
}

std::unexpected<std::string> no_setting() {
  return std::unexpected{"is no setting of a provider; there are " + all_keys()};
}

std::string upper(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return result;
}

/// MY_IDP is my-idp.
std::string name_of_variable(std::string_view text) {
  std::string name{text};
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

}  // namespace

std::string ProviderPlace::key() const {
  return fmt::format("{}{}.{}", providers_prefix, name, setting->key);
}

bool is_provider_name(std::string_view name) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  if (name.empty() || name.size() > limits::provider_name_max_bytes || !is_small(name.front())) return false;
  return std::ranges::all_of(name, [&](char c) { return is_small(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::expected<ProviderPlace, std::string> find_provider_place(std::string_view key) {
  key.remove_prefix(providers_prefix.size());
  const auto dot = key.find('.');
  const auto name = key.substr(0, dot);
  if (!is_provider_name(name)) return std::unexpected{std::string{name_allowed}};
  const auto* setting = dot == std::string_view::npos ? nullptr : find_key(key.substr(dot + 1));
  if (setting == nullptr) return no_setting();
  return ProviderPlace{std::string{name}, setting};
}

std::expected<ProviderPlace, std::string> find_provider_variable(std::string_view variable) {
  auto rest = variable.substr(providers_variable_prefix.size());
  const bool is_file = rest.ends_with(file_suffix) && !rest.ends_with("_CA_FILE");
  if (is_file) rest.remove_suffix(file_suffix.size());
  for (const auto& setting : provider_settings()) {
    const auto suffix = "_" + upper(setting.key);
    if (!rest.ends_with(suffix) || (is_file && !is_secret(setting))) continue;
    auto name = name_of_variable(rest.substr(0, rest.size() - suffix.size()));
    if (!is_provider_name(name)) return std::unexpected{std::string{name_allowed}};
    return ProviderPlace{std::move(name), &setting, is_file};
  }
  return no_setting();
}

}  // namespace keyward::app
