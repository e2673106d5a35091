// What each snippet here begins with; access_first.cpp shows that it compiles by itself.
#pragma once

#include "web/router.hpp"

namespace web = keyward::web;
using keyward::Result;
using keyward::Task;

struct Form {
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Form, (), (text))

struct SignedIn {
  using access_type_tag = void;
  static constexpr web::SecurityRequirement security{.bearer_token = true};
};
template <>
struct web::Extract<SignedIn> {
  static Result<SignedIn> from(RequestContext&) { return SignedIn{}; }
};
