#include "web/message.hpp"

#include "web/engine/field_syntax.hpp"

namespace keyward::web {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (engine::equal_without_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

}  // namespace keyward::web
