#include "features/email_change/change_pages.hpp"

namespace keyward::features {

namespace {

constexpr std::string_view confirm_prefix = "kw_ce_";
constexpr std::string_view undo_prefix = "kw_uc_";

}  // namespace

web::Response ChangePages::show(Page page, std::string_view token, std::string_view locale) const {
  if (token.empty()) return pages.refuse_incomplete(page, locale);
  return pages.show(page, locale, {{"token", std::string{token}}});
}

Task<Result<web::Response>> ChangePages::show_confirm(web::Public,
                                                      web::Query<PageQuery, web::Unknown::ignored> query,
                                                      RequestedLocale locale) {
  co_return show(Page::confirm_email_change, take_token(query->token, confirm_prefix), locale.tag);
}

Task<Result<web::Response>> ChangePages::show_undo(web::Public,
                                                   web::Query<PageQuery, web::Unknown::ignored> query,
                                                   RequestedLocale locale) {
  co_return show(Page::undo_email_change, take_token(query->token, undo_prefix), locale.tag);
}

Task<Result<web::Response>> ChangePages::confirm(web::Public,
                                                 web::Body<ChangePageForm, web::Unknown::ignored> form,
                                                 web::Client client, RequestedLocale locale) {
  const std::string token{take_token(form->token, confirm_prefix)};
  if (token.empty()) co_return pages.refuse_incomplete(Page::confirm_email_change, locale.tag);
  const auto done = co_await email_change.confirm_by({Secret{token}, {}, {}}, client);
  if (!done) {
    co_return pages.refuse(Page::confirm_email_change, locale.tag, {{"token", token}}, done.error(), client);
  }
  co_return see_page("/account/done?what=confirm-email-change");
}

Task<Result<web::Response>> ChangePages::undo(web::Public,
                                              web::Body<ChangePageForm, web::Unknown::ignored> form,
                                              web::Client client, RequestedLocale locale) {
  const std::string token{take_token(form->token, undo_prefix)};
  if (token.empty()) co_return pages.refuse_incomplete(Page::undo_email_change, locale.tag);
  const auto done = co_await email_change.undo_by(Secret{token}, client, locale);
  if (!done) {
    co_return pages.refuse(Page::undo_email_change, locale.tag, {{"token", token}}, done.error(), client);
  }
  co_return see_page("/account/done?what=undo-email-change");
}

}  // namespace keyward::features
