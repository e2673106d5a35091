#include "web/engine/field_syntax.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <string>

namespace keyward::web::engine {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool is_port(std::string_view text) {
  if (text.empty()) return true;  // "host:" is in the grammar
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), port);
  return text.size() <= 5 && all(text, character::digit) && error == std::errc{} && end == text.end() &&
         port <= 65'535;
}

bool is_ipv6(std::string_view text) {
  in6_addr ignored{};
  return text.size() < INET6_ADDRSTRLEN && inet_pton(AF_INET6, std::string{text}.c_str(), &ignored) == 1;
}

}  // namespace

bool equal_without_case(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (lower(left[i]) != lower(right[i])) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::expected<Header, Refusal> check_field_line(std::string_view line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t') {
    return std::unexpected(
        Refusal{400, "A header line must not begin with white space"});  // obs-fold as well
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::unexpected(Refusal{400, "A header line has no colon"});
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !all(name, character::token)) {
    return std::unexpected(Refusal{400, "A header name is not a token"});
  }
  const std::string_view value = line.substr(colon + 1);
  if (!all(value, character::field_value)) {
    return std::unexpected(Refusal{400, "A header value holds a control character"});
  }
  return Header{name, trim(value)};
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    const std::string_view rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (name.empty() || !all(name, character::host)) return false;
  return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

std::string_view take_list_element(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view element = trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  return element;
}

}  // namespace keyward::web::engine
