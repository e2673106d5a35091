#include "web/endpoint/urlencoded.hpp"

#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "text/unicode.hpp"

namespace keyward::web {

namespace {

namespace json = boost::json;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `out` has room for the whole already, so that no copy is left behind by its growth.
template <class String>
bool decode(std::string_view text, bool plus_is_space, String& out) {
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return text::is_utf8({out.data(), out.size()});
}

std::string_view take_until(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const auto taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

}  // namespace

Result<std::string> decode_path_segment(std::string_view segment) {
  std::string decoded;
  if (!decode(segment, false, decoded) || decoded.contains('\0')) {
    return fail(ErrorCode::bad_request, "The path is not percent-encoded UTF-8");
  }
  return decoded;
}

Result<void> read_urlencoded(std::string_view text, std::size_t pairs_max, json::object& to) {
  while (!text.empty()) {
    auto pair = take_until(text, '&');
    if (pair.empty()) continue;
    if (to.size() == pairs_max) return fail(ErrorCode::bad_request, "There are too many parameters");
    std::string name;
    json::string value(to.storage());
    if (!decode(take_until(pair, '='), true, name) || !decode(pair, true, value)) {
      return fail(ErrorCode::bad_request, "A parameter is not percent-encoded UTF-8");
    }
    if (!to.emplace(name, std::move(value)).second) {
      return fail(ErrorCode::bad_request, name.size() <= 64 ? "The parameter \"" + name + "\" is given twice"
                                                            : "A parameter is given twice");
    }
  }
  return {};
}

}  // namespace keyward::web
