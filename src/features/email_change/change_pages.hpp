// ChangePages: a change of the address is confirmed, or undone, in a browser.
//
// GET  /account/confirm-email-change?token=… and /account/undo-email-change?token=… (the mails' links) -> a
// button POST to either -> 303 /account/done, or the page again: 400, 409
//
// What it does and its threats are those of email_change.hpp; those of a page: pages.hpp. A GET uses nothing
// up, so that a mail scanner that opens a link changes nothing.
#pragma once

#include "features/email_change/email_change.hpp"
#include "features/page_proof.hpp"
#include "features/pages.hpp"

namespace keyward::features {

// What a browser sends. Nothing is refused for being absent: the page says what is missing.
struct ChangePageForm {
  std::string token;
  static constexpr auto checks() {
    return web::fields(web::field(&ChangePageForm::token, web::MayBeAbsent{}));
  }
};
BOOST_DESCRIBE_STRUCT(ChangePageForm, (), (token))

struct ChangePages {
  const Pages& pages;
  EmailChange& email_change;

  Task<Result<web::Response>> show_confirm(web::Public, web::Query<PageQuery, web::Unknown::ignored> query,
                                           RequestedLocale locale);
  Task<Result<web::Response>> confirm(web::Public, web::Body<ChangePageForm, web::Unknown::ignored> form,
                                      web::Client client, RequestedLocale locale);
  Task<Result<web::Response>> show_undo(web::Public, web::Query<PageQuery, web::Unknown::ignored> query,
                                        RequestedLocale locale);
  Task<Result<web::Response>> undo(web::Public, web::Body<ChangePageForm, web::Unknown::ignored> form,
                                   web::Client client, RequestedLocale locale);

 private:
  [[nodiscard]] web::Response show(Page page, std::string_view token, std::string_view locale) const;
};

}  // namespace keyward::features
