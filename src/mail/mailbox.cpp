#include "mail/mailbox.hpp"

#include "base/limits.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

std::string to_wire_address(const text::EmailAddress& email) {
  const auto& typed = email.as_typed;
  return typed.substr(0, typed.rfind('@')) + email.normalized.substr(email.normalized.rfind('@'));
}

std::string_view domain_of(std::string_view address) { return address.substr(address.rfind('@') + 1); }

std::expected<Mailbox, std::string> parse_mailbox(std::string_view text) {
  const std::unexpected<std::string> refusal{
      "must be ADDRESS or NAME <ADDRESS>, such as "
      "Example <no-reply@example.com>"};
  if (!text::is_utf8(text) || text::has_control_character(text)) return refusal;
  std::string_view name;
  auto address = trim(text);
  if (const auto open = text.rfind('<'); open != std::string_view::npos) {
    address = trim(text.substr(open + 1));
    if (!address.ends_with('>')) return refusal;
    address.remove_suffix(1);
    name = trim(text.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"'))
      name = name.substr(1, name.size() - 2);
    if (name.find_first_of("<>\"\\") != std::string_view::npos) return refusal;
    if (text::count_code_points(name) > limits::mail_greeting_max_code_points) return refusal;
  }
  const auto email = text::parse_email(address);
  if (!email) return refusal;
  return Mailbox{.name = std::string{name}, .address = to_wire_address(*email)};
}

}  // namespace keyward::mail
