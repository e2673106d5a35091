#include "protocol/oidc/discord.hpp"

#include <algorithm>

#include "protocol/oidc/claims.hpp"

namespace keyward::protocol::oidc {

namespace {

constexpr std::size_t snowflake_max_digits = 20;  // of 64 bits

Checked<std::string> get_snowflake(const json::object& user) {
  auto id = jose::get_text(user, "id");
  if (!id) return id;
  const bool digits = std::ranges::all_of(*id, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || id->size() > snowflake_max_digits || id->front() == '0') {
    return refuse(Reason::invalid_claim, "id is not a number of Discord's");
  }
  return id;
}

Checked<bool> find_verified(const json::object& user) {
  const auto* value = user.if_contains("verified");
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_bool()) return refuse(Reason::invalid_claim, "verified is neither true nor false");
  return value->get_bool();
}

}  // namespace

Checked<Person> person_of_discord(std::string_view user_json) {
  const auto user = parse_document(user_json, "the user");
  if (!user) return std::unexpected(user.error());
  auto id = get_snowflake(*user);
  if (!id) return std::unexpected(std::move(id).error());
  const auto verified = find_verified(*user);
  if (!verified) return std::unexpected(verified.error());
  auto email = find_address(*user, "email");
  if (!email) return std::unexpected(std::move(email).error());
  auto name = find_name(*user, "global_name");
  if (name.empty()) name = find_name(*user, "username");
  const bool email_verified = *verified && !email->empty();
  return Person{.subject = std::move(*id),
                .email = std::move(*email),
                .email_verified = email_verified,
                .name = std::move(name),
                .hosted_domain = {}};
}

}  // namespace keyward::protocol::oidc
