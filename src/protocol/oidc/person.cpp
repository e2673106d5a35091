#include "protocol/oidc/person.hpp"

#include <optional>

#include "base/limits.hpp"
#include "protocol/oidc/claims.hpp"

namespace keyward::protocol::oidc {

namespace {

/// The meaning of a value in the spelling; nothing when it has none.
std::optional<bool> read_verified(const json::value& value, VerifiedSpelling spelling) {
  if (value.is_bool()) return value.get_bool();
  if (spelling == VerifiedSpelling::json_boolean) return std::nullopt;
  if (value.is_string()) {
    const std::string_view text{value.get_string()};
    const bool digits = spelling == VerifiedSpelling::microsoft;
    if (text == "true" || (digits && text == "1")) return true;
    if (text == "false" || (digits && text == "0")) return false;
    return std::nullopt;
  }
  if (spelling == VerifiedSpelling::microsoft && value.is_int64()) {
    if (value.get_int64() == 1) return true;
    if (value.get_int64() == 0) return false;
  }
  return std::nullopt;
}

Checked<std::optional<bool>> find_verified(const json::object& claims, VerifiedSpelling spelling) {
  const std::string_view name = spelling == VerifiedSpelling::microsoft ? "xms_edov" : "email_verified";
  const auto* value = claims.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  const auto verified = read_verified(*value, spelling);
  if (!verified) return refuse(Reason::invalid_claim, std::string{name} + " is neither true nor false");
  return verified;
}

std::string find_full_name(const json::object& claims) {
  auto name = find_name(claims, "name");
  if (!name.empty()) return name;
  name = find_name(claims, "given_name");
  const auto family = find_name(claims, "family_name");
  if (!name.empty() && !family.empty()) name += ' ';
  return name + family;
}

}  // namespace

Checked<Person> person_of(const json::object& claims, VerifiedSpelling spelling) {
  auto subject = get_subject(claims);
  if (!subject) return std::unexpected(std::move(subject).error());
  const auto verified = find_verified(claims, spelling);
  if (!verified) return std::unexpected(verified.error());
  auto email = find_address(claims, "email");
  if (!email) return std::unexpected(std::move(email).error());
  auto domain = find_string(claims, "hd");
  if (!domain) return std::unexpected(std::move(domain).error());
  if (domain->size() > limits::provider_text_max_bytes)
    return refuse(Reason::invalid_claim, "hd is too long");
  const bool email_verified = verified->value_or(false) && !email->empty();
  return Person{.subject = std::move(*subject),
                .email = std::move(*email),
                .email_verified = email_verified,
                .email_denied = *verified == false,
                .name = find_full_name(claims),
                .hosted_domain = std::move(*domain)};
}

Checked<Person> person_of_userinfo(std::string_view json, std::string_view subject,
                                   VerifiedSpelling spelling) {
  const auto claims = parse_document(json, "UserInfo");
  if (!claims) return std::unexpected(claims.error());
  const auto found = get_subject(*claims);
  if (!found) return std::unexpected(found.error());
  if (*found != subject) return refuse(Reason::subject_mismatch, "UserInfo is of another subject");
  return person_of(*claims, spelling);
}

Person merged(Person from_id_token, Person from_userinfo) {
  auto& person = from_id_token;
  if (person.subject != from_userinfo.subject) return from_id_token;
  if (person.email.empty()) {
    person.email = std::move(from_userinfo.email);
    person.email_verified = from_userinfo.email_verified;
    person.email_denied = from_userinfo.email_denied;
  } else if (person.email == from_userinfo.email) {
    // One may complete the other, not contradict it.
    person.email_denied = person.email_denied || from_userinfo.email_denied;
    person.email_verified = (person.email_verified || from_userinfo.email_verified) && !person.email_denied;
  }
  if (person.name.empty()) person.name = std::move(from_userinfo.name);
  if (person.hosted_domain.empty()) person.hosted_domain = std::move(from_userinfo.hosted_domain);
  return from_id_token;
}

}  // namespace keyward::protocol::oidc
