#include "protocol/oidc/github.hpp"

#include "base/limits.hpp"
#include "protocol/oidc/claims.hpp"

namespace keyward::protocol::oidc {

namespace {

Checked<std::string> get_id(const json::object& user) {
  const auto* value = user.if_contains("id");
  if (value == nullptr) return refuse(Reason::missing_claim, "id is missing");
  // Whole and positive: a number that was rounded would be somebody else's.
  const auto* number = value->if_int64();
  if (number == nullptr || *number <= 0)
    return refuse(Reason::invalid_claim, "id is not a number of GitHub's");
  return std::to_string(*number);
}

Checked<bool> get_flag(const json::object& row, std::string_view name) {
  const auto* value = row.if_contains(name);
  if (value == nullptr || !value->is_bool()) {
    return refuse(Reason::invalid_claim, std::string{name} + " is neither true nor false");
  }
  return value->get_bool();
}

/// The address of a row that is primary and verified; "" of any other.
Checked<std::string> find_trusted_address(const json::value& row) {
  if (!row.is_object()) return refuse(Reason::malformed, "the list of addresses holds something else");
  const auto& object = row.get_object();
  const auto primary = get_flag(object, "primary");
  if (!primary) return std::unexpected(primary.error());
  const auto verified = get_flag(object, "verified");
  if (!verified) return std::unexpected(verified.error());
  if (!*primary || !*verified) return std::string{};
  return find_address(object, "email");
}

Checked<std::string> find_primary_address(std::string_view emails_json) {
  if (emails_json.empty()) return std::string{};
  if (emails_json.size() > limits::json_max_bytes)
    return refuse(Reason::too_large, "the addresses are too large");
  const auto value = text::parse_json(emails_json);
  if (!value) return refuse(Reason::malformed, "the addresses: " + value.error().message);
  if (!value->is_array()) return refuse(Reason::malformed, "the addresses are not an array");
  std::string primary;
  for (const auto& row : value->get_array()) {
    auto address = find_trusted_address(row);
    if (!address) return address;
    if (address->empty()) continue;
    if (!primary.empty()) return refuse(Reason::invalid_claim, "two addresses are primary");
    primary = std::move(*address);
  }
  return primary;
}

}  // namespace

Checked<Person> person_of_github(std::string_view user_json, std::string_view emails_json) {
  const auto user = parse_document(user_json, "the user");
  if (!user) return std::unexpected(user.error());
  auto id = get_id(*user);
  if (!id) return std::unexpected(std::move(id).error());
  auto email = find_primary_address(emails_json);
  if (!email) return std::unexpected(std::move(email).error());
  auto name = find_name(*user, "name");
  if (name.empty()) name = find_name(*user, "login");
  const bool verified = !email->empty();
  return Person{.subject = std::move(*id),
                .email = std::move(*email),
                .email_verified = verified,
                .name = std::move(name),
                .hosted_domain = {}};
}

}  // namespace keyward::protocol::oidc
