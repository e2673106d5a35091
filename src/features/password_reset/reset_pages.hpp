// ResetPages: a forgotten password in a browser, with nothing but links and forms.
//
// GET  /account/forgot-password -> a form for the address
// POST /account/forgot-password -> 303 to the page below, with the transaction for the code
// GET  /account/reset-password?token=… (the mail's link) or ?transaction=… -> a form for the new password
// POST /account/reset-password  -> 303 /account/done, or the form again: 400, 422, 429, 503
//
// What it does, its limits and its threats are those of password_reset.hpp; those of a page: pages.hpp. A GET
// uses nothing up, so that a mail scanner that opens the link takes nothing away.
#pragma once

#include "features/page_proof.hpp"
#include "features/pages.hpp"
#include "features/password_reset/password_reset.hpp"

namespace keyward::features {

// What a browser sends. Nothing is refused for being absent: the page says what is missing.
struct AskResetPageForm {
  std::string email;
  static constexpr auto checks() {
    return web::fields(web::field(&AskResetPageForm::email, web::MayBeAbsent{}));
  }
};
BOOST_DESCRIBE_STRUCT(AskResetPageForm, (), (email))

struct ResetPageForm {
  std::string token;
  std::string transaction;
  std::string code;
  Secret new_password;
  static constexpr auto checks() {
    return web::fields(web::field(&ResetPageForm::token, web::MayBeAbsent{}),
                       web::field(&ResetPageForm::transaction, web::MayBeAbsent{}),
                       web::field(&ResetPageForm::code, web::MayBeAbsent{}),
                       web::field(&ResetPageForm::new_password, web::MayBeAbsent{}, web::WriteOnly{}));
  }
};
BOOST_DESCRIBE_STRUCT(ResetPageForm, (), (token, transaction, code, new_password))

struct ResetPages {
  const Pages& pages;
  PasswordReset& password_reset;

  Task<Result<web::Response>> show_asking(web::Public, RequestedLocale locale);
  Task<Result<web::Response>> ask(web::Public, web::Body<AskResetPageForm, web::Unknown::ignored> form,
                                  web::Client client, RequestedLocale locale, web::AnswerHeaders headers);
  Task<Result<web::Response>> show_reset(web::Public, web::Query<PageQuery, web::Unknown::ignored> query,
                                         RequestedLocale locale);
  Task<Result<web::Response>> reset(web::Public, web::Body<ResetPageForm, web::Unknown::ignored> form,
                                    web::Client client, RequestedLocale locale);
};

}  // namespace keyward::features
