#include "web/endpoint/type_info.hpp"

#include <algorithm>
#include <span>

#include "text/email.hpp"

namespace keyward::web {

bool holds_secret(const TypeInfo& type) {
  if (type.kind == Kind::secret) return true;
  if (type.element != nullptr) return holds_secret(*type.element);
  return std::ranges::any_of(std::span{type.members, type.member_count},
                             [](const MemberInfo& member) { return holds_secret(*member.type); });
}

std::optional<std::string> check_email(std::string_view text) {
  auto parsed = text::parse_email(text);
  if (parsed) return std::nullopt;
  return std::move(parsed).error().message;
}

}  // namespace keyward::web
