#include "features/email_verification/verification_pages.hpp"

#include "text/unicode.hpp"

namespace keyward::features {

namespace {

constexpr std::string_view token_prefix = "kw_ve_";

}  // namespace

Task<Result<web::Response>> VerificationPages::show(web::Public,
                                                    web::Query<PageQuery, web::Unknown::ignored> query,
                                                    RequestedLocale locale) {
  if (query->token.empty() && query->transaction.empty()) {
    co_return pages.show(Page::verify_email, locale.tag, {{"asks_for_mail", "yes"}});
  }
  const PageProof proof{token_prefix, query->token, query->transaction};
  if (proof.is_empty()) co_return pages.refuse_incomplete(Page::verify_email, locale.tag);
  co_return pages.show(Page::verify_email, locale.tag, proof.variables());
}

Task<Result<web::Response>> VerificationPages::verify(
    web::Public, web::Body<VerificationPageForm, web::Unknown::ignored> form, web::Client client,
    RequestedLocale locale) {
  const PageProof proof{token_prefix, form->token, form->transaction, form->code};
  if (proof.is_empty()) co_return pages.refuse_incomplete(Page::verify_email, locale.tag);
  const auto refuse = [&](const Error& error) {
    return pages.refuse(Page::verify_email, locale.tag, proof.variables(), error, client);
  };
  if (auto wrong = proof.errors(); !wrong.empty()) {
    co_return refuse({ErrorCode::invalid_input, "The input has errors", {}, std::move(wrong), 0});
  }
  const auto done = co_await email_verification.verify_by(proof.to_proof(), client);
  if (!done) co_return refuse(done.error());
  co_return see_page("/account/done?what=verify-email");
}

Task<Result<web::Response>> VerificationPages::resend(web::Public,
                                                      web::Body<ResendPageForm, web::Unknown::ignored> form,
                                                      web::Client client, RequestedLocale locale,
                                                      web::AnswerHeaders headers) {
  const auto transaction = co_await email_verification.ask(form->email, client, locale, headers);
  if (!transaction) {
    const auto email = text::to_storable_text(form->email, limits::email_max_bytes);
    co_return pages.refuse(Page::verify_email, locale.tag, {{"asks_for_mail", "yes"}, {"email", email}},
                           transaction.error(), client);
  }
  co_return see_page("/account/verify-email?transaction=" + *transaction);
}

}  // namespace keyward::features
