#include "protocol/oidc/claims.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "text/email.hpp"
#include "text/unicode.hpp"

namespace keyward::protocol::oidc {

Checked<std::string> get_subject(const json::object& claims) {
  auto subject = jose::get_text(claims, "sub");
  if (!subject) return subject;
  const auto is_fit = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (subject->size() > limits::provider_subject_max_bytes || !std::ranges::all_of(*subject, is_fit)) {
    return refuse(Reason::invalid_claim, "sub is not 1 to 255 characters of ASCII");
  }
  return subject;
}

Checked<json::object> parse_document(std::string_view text, std::string_view what) {
  const std::string name{what};
  if (text.size() > limits::json_max_bytes) return refuse(Reason::too_large, name + ": too large");
  auto value = text::parse_json(text);
  if (!value) return refuse(Reason::malformed, name + ": " + value.error().message);
  if (!value->is_object()) return refuse(Reason::malformed, name + ": not an object");
  return std::move(value->get_object());
}

Checked<std::string> find_string(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string{};
  if (!value->is_string()) return refuse(Reason::invalid_claim, std::string{name} + " is not a string");
  return std::string{std::string_view{value->get_string()}};
}

std::string find_name(const json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return text::to_one_line(
      text::to_storable_text(std::string_view{value->get_string()}, limits::provider_text_max_bytes));
}

Checked<std::string> find_address(const json::object& claims, std::string_view name) {
  const auto given = find_string(claims, name);
  if (!given) return given;
  auto address = text::parse_email(*given);
  return address ? std::move(address->as_typed) : std::string{};
}

}  // namespace keyward::protocol::oidc
