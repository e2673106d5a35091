#include "features/password_reset/reset_pages.hpp"

#include "text/unicode.hpp"

namespace keyward::features {

namespace {

constexpr std::string_view token_prefix = "kw_rp_";

Error bad_fields(std::vector<FieldError> fields) {
  return {ErrorCode::invalid_input, "The input has errors", {}, std::move(fields), 0};
}

}  // namespace

Task<Result<web::Response>> ResetPages::show_asking(web::Public, RequestedLocale locale) {
  co_return pages.show(Page::forgot_password, locale.tag);
}

Task<Result<web::Response>> ResetPages::ask(web::Public,
                                            web::Body<AskResetPageForm, web::Unknown::ignored> form,
                                            web::Client client, RequestedLocale locale,
                                            web::AnswerHeaders headers) {
  const auto transaction = co_await password_reset.ask(form->email, client, locale, headers);
  if (!transaction) {
    const auto email = text::to_storable_text(form->email, limits::email_max_bytes);
    co_return pages.refuse(Page::forgot_password, locale.tag, {{"email", email}}, transaction.error(),
                           client);
  }
  co_return see_page("/account/reset-password?transaction=" + *transaction);
}

Task<Result<web::Response>> ResetPages::show_reset(web::Public,
                                                   web::Query<PageQuery, web::Unknown::ignored> query,
                                                   RequestedLocale locale) {
  const PageProof proof{token_prefix, query->token, query->transaction};
  if (proof.is_empty()) co_return pages.refuse_incomplete(Page::reset_password, locale.tag);
  co_return pages.show(Page::reset_password, locale.tag, proof.variables());
}

Task<Result<web::Response>> ResetPages::reset(web::Public,
                                              web::Body<ResetPageForm, web::Unknown::ignored> form,
                                              web::Client client, RequestedLocale locale) {
  const PageProof proof{token_prefix, form->token, form->transaction, form->code};
  if (proof.is_empty()) co_return pages.refuse_incomplete(Page::reset_password, locale.tag);
  auto wrong = proof.errors();
  if (form->new_password.empty()) wrong.push_back({"new_password", "must not be empty"});
  const auto refuse = [&](const Error& error) {
    return pages.refuse(Page::reset_password, locale.tag, proof.variables(), error, client);
  };
  if (!wrong.empty()) co_return refuse(bad_fields(std::move(wrong)));
  const auto done =
      co_await password_reset.reset_by(proof.to_proof(), std::move(form->new_password), client, locale);
  if (!done) co_return refuse(done.error());
  co_return see_page("/account/done?what=reset-password");
}

}  // namespace keyward::features
