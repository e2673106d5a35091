// VerificationPages: an address is confirmed in a browser.
//
// GET  /account/verify-email?token=… (the mail's link) -> a button; ?transaction=… -> a form for the code;
// without
//      either a form for the address that waits
// POST /account/verify-email        -> 303 /account/done, or the page again: 400, 422
// POST /account/resend-verification -> 303 /account/verify-email?transaction=…, or the page again: 422, 429
//
// What it does, its limits and its threats are those of email_verification.hpp; those of a page: pages.hpp. A
// GET uses nothing up, so that a mail scanner that opens the link confirms nothing.
#pragma once

#include "features/email_verification/email_verification.hpp"
#include "features/page_proof.hpp"
#include "features/pages.hpp"

namespace keyward::features {

// What a browser sends. Nothing is refused for being absent: the page says what is missing.
struct VerificationPageForm {
  std::string token;
  std::string transaction;
  std::string code;
  static constexpr auto checks() {
    return web::fields(web::field(&VerificationPageForm::token, web::MayBeAbsent{}),
                       web::field(&VerificationPageForm::transaction, web::MayBeAbsent{}),
                       web::field(&VerificationPageForm::code, web::MayBeAbsent{}));
  }
};
BOOST_DESCRIBE_STRUCT(VerificationPageForm, (), (token, transaction, code))

struct ResendPageForm {
  std::string email;
  static constexpr auto checks() {
    return web::fields(web::field(&ResendPageForm::email, web::MayBeAbsent{}));
  }
};
BOOST_DESCRIBE_STRUCT(ResendPageForm, (), (email))

struct VerificationPages {
  const Pages& pages;
  EmailVerification& email_verification;

  Task<Result<web::Response>> show(web::Public, web::Query<PageQuery, web::Unknown::ignored> query,
                                   RequestedLocale locale);
  Task<Result<web::Response>> verify(web::Public, web::Body<VerificationPageForm, web::Unknown::ignored> form,
                                     web::Client client, RequestedLocale locale);
  Task<Result<web::Response>> resend(web::Public, web::Body<ResendPageForm, web::Unknown::ignored> form,
                                     web::Client client, RequestedLocale locale, web::AnswerHeaders headers);
};

}  // namespace keyward::features
