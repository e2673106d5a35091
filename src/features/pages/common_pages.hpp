// CommonPages: what all the pages end at, and their style sheet.
//
// GET /account/done?what=… -> what was done; it is the target of a 303, so that going back or loading again
// sends no
//     form twice · 404 for anything else
// GET /account/style.css
#pragma once

#include <string>

#include "features/pages.hpp"
#include "features/requested_locale.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct DoneQuery {
  std::string what;
  static constexpr auto checks() { return web::fields(web::field(&DoneQuery::what, web::MayBeAbsent{})); }
};
BOOST_DESCRIBE_STRUCT(DoneQuery, (), (what))

struct CommonPages {
  const Pages& pages;

  Task<Result<web::Response>> done(web::Public, web::Query<DoneQuery, web::Unknown::ignored> query,
                                   RequestedLocale locale);
  Result<web::Response> style(web::Public);
};

}  // namespace keyward::features
