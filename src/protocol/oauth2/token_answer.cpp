#include "protocol/oauth2/token_answer.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "protocol/oauth2/characters.hpp"
#include "protocol/oauth2/provider_words.hpp"
#include "text/json.hpp"
#include "text/wiping_memory.hpp"

namespace keyward::protocol::oauth2 {

namespace {

namespace json = text::json;

bool is_bearer(std::string_view type) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(type, std::string_view{"bearer"}, {}, lower);
}

std::string_view text_of(const json::object& answer, std::string_view name) {
  const auto* value = answer.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()} : std::string_view{};
}

std::string words_of_error(const json::object& answer) {
  auto words = provider_words(text_of(answer, "error"));
  const auto description = text_of(answer, "error_description");
  if (!description.empty()) words += ": " + provider_words(description);
  return words;
}

/// A string; absent and null are "".
Checked<std::string_view> find_member(const json::object& answer, std::string_view name,
                                      std::size_t max_bytes) {
  const auto* value = answer.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string_view{};
  if (!value->is_string()) return refuse(Reason::invalid_claim, std::string{name} + " is not a string");
  const std::string_view text{value->get_string()};
  if (text.size() > max_bytes) return refuse(Reason::too_large, std::string{name} + " is too long");
  return text;
}

Checked<TokenAnswer> read_answer(const json::object& answer) {
  const auto access_token = find_member(answer, "access_token", limits::provider_token_max_bytes);
  if (!access_token) return std::unexpected(access_token.error());
  if (access_token->empty()) return refuse(Reason::missing_claim, "access_token is missing");
  if (!is_visible_ascii(*access_token)) {
    return refuse(Reason::invalid_claim, "access_token has characters that no token has");
  }
  const auto type = find_member(answer, "token_type", limits::provider_text_max_bytes);
  if (!type) return std::unexpected(type.error());
  if (type->empty()) return refuse(Reason::missing_claim, "token_type is missing");
  if (!is_bearer(*type)) return refuse(Reason::invalid_claim, "token_type is not Bearer");
  const auto id_token = find_member(answer, "id_token", limits::provider_token_max_bytes);
  if (!id_token) return std::unexpected(id_token.error());
  const auto scope = find_member(answer, "scope", limits::provider_token_max_bytes);
  if (!scope) return std::unexpected(scope.error());
  return TokenAnswer{Secret{*access_token}, std::string{*type}, std::string{*id_token}, std::string{*scope}};
}

}  // namespace

Checked<TokenAnswer> parse_token_answer(unsigned status, std::string_view body) {
  if (body.size() > limits::json_max_bytes) return refuse(Reason::too_large, "the answer is too large");
  text::WipingMemory memory;
  const auto value = text::parse_json(body, {}, &memory);
  const auto* const answer = value ? value->if_object() : nullptr;
  if (answer != nullptr && answer->contains("error"))
    return refuse(Reason::token_refused, words_of_error(*answer));
  if (status != 200) return refuse(Reason::token_refused, "the answer was a " + std::to_string(status));
  if (!value) return refuse(Reason::malformed, "the answer: " + value.error().message);
  if (answer == nullptr) return refuse(Reason::malformed, "the answer is not an object");
  return read_answer(*answer);
}

}  // namespace keyward::protocol::oauth2
