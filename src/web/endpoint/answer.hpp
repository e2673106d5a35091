// Answers: what a handler may return, and the response that each makes.
//
//   T described      200 with JSON             Created<T>   201 with JSON
//   NoContent, void  204                       SeeOther     303 (never 307 or 308: S10)
//   Page<T>          200 {items, next}         Response     as it is
// each as Result<…>, and as Task<Result<…>> from a coroutine.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "web/endpoint/encode.hpp"
#include "web/endpoint/route.hpp"
#include "web/endpoint/type_info.hpp"
#include "web/message.hpp"

namespace keyward::web {

struct NoContent {};

template <class T>
struct Created {
  T value;
  std::string location = {};  // a path of ours, when the new thing has one
};

struct SeeOther {
  std::string location;
};

/// One page of a list; `next` is what `?after=` takes for the page that follows.
template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next;
  BOOST_DESCRIBE_CLASS(Page, (), (items, next), (), ())
};

/// How a T becomes a response, and what OpenAPI is told. A specialisation for another type is welcome.
template <class T>
struct Answers {
  static Response make(T&& value) {
    Response response{.body = take_body_storage()};
    write_json(type_info<T>, &value, response.body);
    return response;
  }
  static void describe(Route& route) { route.answer = &type_info<T>; }
};

template <>
struct Answers<Response> {
  static Response make(Response&& response) { return std::move(response); }
  static void describe(Route&) {}
};

template <>
struct Answers<NoContent> {
  static Response make(NoContent&&) { return {.status = 204, .content_type = {}}; }
  static void describe(Route& route) { route.status = 204; }
};

template <>
struct Answers<SeeOther> {
  static Response make(SeeOther&& to) {
    return {.status = 303, .content_type = {}, .headers = {{"Location", std::move(to.location)}}};
  }
  static void describe(Route& route) { route.status = 303; }
};

template <class T>
struct Answers<Created<T>> {
  static Response make(Created<T>&& created) {
    auto response = Answers<T>::make(std::move(created.value));
    response.status = 201;
    if (!created.location.empty()) response.headers.emplace_back("Location", std::move(created.location));
    return response;
  }
  static void describe(Route& route) {
    Answers<T>::describe(route);
    route.status = 201;
  }
};

}  // namespace keyward::web
