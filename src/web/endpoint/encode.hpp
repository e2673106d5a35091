// Writing a described type as JSON, straight into a string.
#pragma once

#include <string>
#include <string_view>

#include "web/endpoint/type_info.hpp"

namespace keyward::web {

/// Appends `value`, an object of type `type`. Nothing is null, a Time RFC 3339, a Uuid its text. Texts that
/// are not UTF-8 come out with U+FFFD, and U+2028/2029 escaped.
void write_json(const TypeInfo& type, const void* value, std::string& out);

template <class T>
[[nodiscard]] std::string to_json(const T& value) {
  std::string out;
  write_json(type_info<T>, &value, out);
  return out;
}

/// `text` with its quotes.
void write_json_text(std::string_view text, std::string& out);

}  // namespace keyward::web
