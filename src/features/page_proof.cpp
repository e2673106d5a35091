#include "features/page_proof.hpp"

#include <algorithm>

namespace keyward::features {

PageProof::PageProof(std::string_view token_prefix, std::string_view token, std::string_view transaction,
                     std::string_view code)
    : token_(take_token(token, token_prefix)) {
  if (!token_.empty()) return;
  transaction_ = take_token(transaction, "kw_tx_");
  if (is_code(code)) code_ = code;
}

text::Variables PageProof::variables() const {
  text::Variables variables;
  if (!token_.empty()) variables.emplace("token", token_);
  if (!transaction_.empty()) variables.emplace("transaction", transaction_);
  if (!code_.empty()) variables.emplace("code", code_);
  return variables;
}

std::vector<FieldError> PageProof::errors() const {
  if (transaction_.empty() || !code_.empty()) return {};
  return {{"code", "is no code"}};
}

domain::Proof PageProof::to_proof() const { return {Secret{token_}, Secret{transaction_}, Secret{code_}}; }

std::string_view take_token(std::string_view text, std::string_view prefix) {
  constexpr std::size_t secret_length = 43;  // 32 bytes
  const auto is_base64url = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (!text.starts_with(prefix) || text.size() != prefix.size() + secret_length) return {};
  return std::ranges::all_of(text.substr(prefix.size()), is_base64url) ? text : std::string_view{};
}

bool is_code(std::string_view text) {
  constexpr std::size_t code_length = 8;
  constexpr std::size_t longest = 2 * code_length;
  std::size_t length = 0;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9')) return false;
    ++length;
  }
  return length == code_length && text.size() <= longest;
}

web::Response see_page(std::string path) {
  constexpr unsigned see_other = 303;
  return {.status = see_other, .content_type = {}, .headers = {{"Location", std::move(path)}}};
}

}  // namespace keyward::features
