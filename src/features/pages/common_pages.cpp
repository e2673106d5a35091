#include "features/pages/common_pages.hpp"

#include <algorithm>
#include <array>

namespace keyward::features {

Task<Result<web::Response>> CommonPages::done(web::Public, web::Query<DoneQuery, web::Unknown::ignored> query,
                                              RequestedLocale locale) {
  auto what = query->what;
  std::ranges::replace(what, '-', '_');
  constexpr std::array pages_with_an_end{Page::reset_password, Page::verify_email, Page::confirm_email_change,
                                         Page::undo_email_change};
  if (std::ranges::find(pages_with_an_end, what, [](Page page) { return to_string(page); }) ==
      pages_with_an_end.end())
    co_return fail(ErrorCode::not_found, "There is nothing here");
  co_return pages.show(Page::done, locale.tag, {{what, "yes"}});
}

Result<web::Response> CommonPages::style(web::Public) {
  // The pages ask for it with its version behind a question mark.
  return web::Response{.content_type = "text/css; charset=utf-8",
                       .headers = {{"Cache-Control", "public, max-age=3600"}},
                       .constant_body = Pages::style()};
}

}  // namespace keyward::features
