// FixedString: a text as a template argument, as in Path<"user_id", Uuid> and HasRole<"admin">.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace keyward::web {

template <std::size_t Size>
struct FixedString {
  char text[Size]{};

  // Implicit, so that a literal can stand as the template argument.
  consteval FixedString(const char (&literal)[Size]) { std::copy_n(literal, Size, text); }
  [[nodiscard]] constexpr std::string_view view() const { return {text, Size - 1}; }
};

}  // namespace keyward::web
