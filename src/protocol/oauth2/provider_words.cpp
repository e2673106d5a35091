#include "protocol/oauth2/provider_words.hpp"

#include "base/limits.hpp"
#include "text/unicode.hpp"

namespace keyward::protocol::oauth2 {

std::string provider_words(std::string_view text) {
  return text::to_one_line(text::to_storable_text(text, limits::provider_text_max_bytes));
}

}  // namespace keyward::protocol::oauth2
