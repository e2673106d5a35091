// Cookies, as requests bring them.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace keyward::features {

/// One cookie's value (RFC 6265 §5.4); empty when it is not there.
inline std::string_view find_cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const auto end = cookies.find(';');
    auto pair = cookies.substr(0, end);
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
    if (end == std::string_view::npos) break;
    cookies.remove_prefix(end + 1);
  }
  return {};
}

/// The names that begin so.
inline std::vector<std::string_view> find_cookie_names(std::string_view cookies, std::string_view prefix) {
  std::vector<std::string_view> names;
  while (!cookies.empty()) {
    const auto end = cookies.find(';');
    auto pair = cookies.substr(0, end);
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(prefix)) names.push_back(pair.substr(0, pair.find('=')));
    if (end == std::string_view::npos) break;
    cookies.remove_prefix(end + 1);
  }
  return names;
}

}  // namespace keyward::features
