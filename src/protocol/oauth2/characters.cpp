#include "protocol/oauth2/characters.hpp"

namespace keyward::protocol::oauth2 {

bool is_url_tail(std::string_view text) {
  constexpr std::string_view others = "!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])) return false;
      i += 2;
    } else if (!is_unreserved(text[i]) && others.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace keyward::protocol::oauth2
