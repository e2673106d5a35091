#include "protocol/oauth2/form.hpp"

#include <cstdint>

#include "protocol/oauth2/characters.hpp"

namespace keyward::protocol::oauth2 {

namespace {

constexpr bool stays(char c) { return is_alphanumeric(c) || c == '*' || c == '-' || c == '.' || c == '_'; }

void append(std::string& form, std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (stays(c)) {
      form += c;
    } else if (c == ' ') {
      form += '+';
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      form += '%';
      form += digits[byte >> 4U];
      form += digits[byte & 0xfU];
    }
  }
}

}  // namespace

std::string to_form(std::string_view text) {
  std::string form;
  form.reserve(3 * text.size());
  append(form, text);
  return form;
}

std::string to_form(std::span<const FormPair> pairs) {
  std::size_t size_max = 0;
  for (const auto& [name, value] : pairs) size_max += 3 * (name.size() + value.size()) + 2;
  std::string form;
  form.reserve(size_max);
  for (const auto& [name, value] : pairs) {
    if (!form.empty()) form += '&';
    append(form, name);
    form += '=';
    append(form, value);
  }
  return form;
}

std::string with_query(std::string_view url, std::span<const FormPair> pairs) {
  const auto fragment_at = url.find('#');
  const auto head = url.substr(0, fragment_at);
  std::string result{head};
  if (!pairs.empty()) {
    const auto mark = head.find('?');
    if (mark == std::string_view::npos) {
      result += '?';
    } else if (mark + 1 != head.size() && !head.ends_with('&')) {  // a '?' further on belongs to the query
      result += '&';
    }
    result += to_form(pairs);
  }
  if (fragment_at != std::string_view::npos) result += url.substr(fragment_at);
  return result;
}

}  // namespace keyward::protocol::oauth2
