#include "features/requested_locale.hpp"

#include "mail/templates.hpp"
#include "text/accept_language.hpp"

namespace keyward::web {

Result<features::RequestedLocale> Extract<features::RequestedLocale>::from(RequestContext& context) {
  const auto header = context.request.header("Accept-Language").value_or("");
  if (header.empty()) return features::RequestedLocale{};
  const auto locales = context.service<mail::Templates>().locales();
  return features::RequestedLocale{text::choose_locale(header, locales)};
}

}  // namespace keyward::web
