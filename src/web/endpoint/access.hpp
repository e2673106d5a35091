// Access types: who may call. Public is here; SignedIn, HasRole<> and HasPermission<> are made by src/access.
//
// An access type declares `using access_type_tag = void;` and `static constexpr web::SecurityRequirement
// security`, and has an Extract<> whose success is the proof. It is the first parameter of every handler, and
// the only one of its kind: a handler that does not say who may call it does not compile (Z1).
#pragma once

#include <concepts>
#include <string_view>

namespace keyward::web {

/// What OpenAPI says about an access type.
struct SecurityRequirement {
  bool bearer_token = false;
  bool optional = false;       // may be called without a token as well
  std::string_view role = {};  // `admin`: 403 without it
  std::string_view permission = {};
};

template <class T>
concept AccessType = requires {
  typename T::access_type_tag;
  { T::security } -> std::convertible_to<SecurityRequirement>;
};

/// Anyone may call.
struct Public {
  using access_type_tag = void;
  static constexpr SecurityRequirement security{};
};

}  // namespace keyward::web
