// The language of the mails that a request causes, and of the pages that it is answered with: the first of
// Accept-Language that mails have.
#pragma once

#include <string>

#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

/// A handler's parameter.
struct RequestedLocale {
  std::string tag;  // of the mail templates, "de"; empty: none of them was asked for
};

}  // namespace keyward::features

namespace keyward::web {

template <>
struct Extract<features::RequestedLocale> {
  /// Needs the service mail::Templates.
  static Result<features::RequestedLocale> from(RequestContext& context);
};

}  // namespace keyward::web
