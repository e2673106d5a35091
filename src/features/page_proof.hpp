// PageProof: the token or the code that a page was opened with, on its way through the form and back.
//
// Only what looks like ours is shown again or looked up: everything else is dropped here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "text/template_text.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

/// What a link has behind its question mark. What a mail program adds to it has no effect.
struct PageQuery {
  std::string token;
  std::string transaction;

  static constexpr auto checks() {
    return web::fields(web::field(&PageQuery::token, web::MayBeAbsent{}, web::Description{"Of the mail"}),
                       web::field(&PageQuery::transaction, web::MayBeAbsent{},
                                  web::Description{"With which a code will count"}));
  }
};
BOOST_DESCRIBE_STRUCT(PageQuery, (), (token, transaction))

class PageProof {
 public:
  PageProof(std::string_view token_prefix, std::string_view token, std::string_view transaction,
            std::string_view code = {});

  /// Neither a token nor a transaction: there is nothing to go on with.
  [[nodiscard]] bool is_empty() const { return token_.empty() && transaction_.empty(); }
  /// For the form.
  [[nodiscard]] text::Variables variables() const;
  /// What is wrong with it already by its looks.
  [[nodiscard]] std::vector<FieldError> errors() const;
  [[nodiscard]] domain::Proof to_proof() const;

 private:
  std::string token_;
  std::string transaction_;  // without a token only
  std::string code_;
};

/// `text` when it is `prefix` and 32 bytes as base64url; else empty.
std::string_view take_token(std::string_view text, std::string_view prefix);
/// Eight letters and digits, with dashes and spaces among them or without.
bool is_code(std::string_view text);

/// 303 to a page of ours.
web::Response see_page(std::string path);

}  // namespace keyward::features
