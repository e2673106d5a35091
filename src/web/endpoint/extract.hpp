// Extractors: each parameter of a handler is taken from the request by Extract<its type>.
//
// A handler's parameters: one access type first, then any of
//   Body<T>                        JSON or a form as a described T; unknown members are refused
//   Body<T, Unknown::ignored>      the same; unknown members have no effect
//   OptionalBody<T>                the same as Body<T>; no body at all is a T as it is made
//   Path<"user_id", Uuid>          a {user_id} of the route
//   Query<T>                       the query string as a described T; unknown parameters are refused
//   Query<T, Unknown::ignored>     the same; unknown parameters have no effect
//   Client                         address and user agent
//   AnswerHeaders                  a place for headers of the answer, whatever it will be
//   RawRequest                     everything, for odd cases
#pragma once

#include <concepts>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "runtime/task.hpp"
#include "text/unicode.hpp"
#include "web/endpoint/access.hpp"
#include "web/endpoint/context.hpp"
#include "web/endpoint/fixed_string.hpp"
#include "web/endpoint/input.hpp"
#include "web/endpoint/route.hpp"
#include "web/endpoint/type_info.hpp"

namespace keyward::web {

/// How a T is taken from a request. A specialisation has one of
///   static Result<T> from(RequestContext&);
///   static Task<Result<T>> from(RequestContext&);   // and, optionally, for when the answer is known
///   already: static std::optional<Result<T>> try_from(RequestContext&);
/// and, optionally, `static void describe(Route&)` and `static void check(const Route&)`.
template <class T>
struct Extract;

template <class T, Unknown unknown_members = Unknown::refused>
struct Body {
  T value{};
  T& operator*() { return value; }
  const T& operator*() const { return value; }
  T* operator->() { return &value; }
  const T* operator->() const { return &value; }
};

template <class T>
struct OptionalBody {
  T value{};
  T* operator->() { return &value; }
  const T* operator->() const { return &value; }
};

template <FixedString path_name, class T>
struct Path {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

template <class T, Unknown unknown_parameters = Unknown::refused>
struct Query {
  T value{};
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

/// The request itself. Its views live until the answer is written.
struct RawRequest {
  Request* request;
  const Request& operator*() const { return *request; }
  const Request* operator->() const { return request; }
};

/// Headers that belong to the answer whether it grants or refuses. For as long as the request.
class AnswerHeaders {
 public:
  explicit AnswerHeaders(Request& request) : request_(&request) {}
  /// `name` is a constant of ours; a later value replaces an earlier one.
  void set(std::string_view name, std::string value) const {
    for (auto& [known, old] : request_->answer_headers) {
      if (known == name) {
        old = std::move(value);
        return;
      }
    }
    add(name, std::move(value));
  }
  /// Beside what there is of this name (Set-Cookie).
  void add(std::string_view name, std::string value) const {
    request_->answer_headers.emplace_back(name, std::move(value));
  }

 private:
  Request* request_;
};

template <>
struct Extract<Public> {
  static Result<Public> from(RequestContext&) { return Public{}; }
};

template <class T, Unknown unknown_members>
struct Extract<Body<T, unknown_members>> {
  static Result<Body<T, unknown_members>> from(RequestContext& context) {
    Result<Body<T, unknown_members>> body{std::in_place};
    if (auto read = read_body(type_info<T>, unknown_members, &body->value, context.request); !read) {
      return fail_from(read);
    }
    return body;
  }
  static void describe(Route& route) {
    route.body = &type_info<T>;
    route.unknown = unknown_members;
  }
};

template <class T>
struct Extract<OptionalBody<T>> {
  static Result<OptionalBody<T>> from(RequestContext& context) {
    if (context.request.body.empty()) return OptionalBody<T>{};
    auto body = Extract<Body<T>>::from(context);
    if (!body) return fail_from(body);
    return OptionalBody<T>{std::move(body->value)};
  }
  static void describe(Route& route) {
    Extract<Body<T>>::describe(route);
    route.body_required = false;
  }
};

template <FixedString path_name, class T>
struct Extract<Path<path_name, T>> {
  static Result<Path<path_name, T>> from(RequestContext& context) {
    Result<Path<path_name, T>> path{std::in_place};
    if (auto read = read_path_parameter(type_info<T>, path_name.view(), &path->value, context.request);
        !read) {
      return fail_from(read);
    }
    return path;
  }
  static void describe(Route& route) { route.path_parameters.push_back({path_name.view(), &type_info<T>}); }
};

template <class T, Unknown unknown_parameters>
struct Extract<Query<T, unknown_parameters>> {
  static Result<Query<T, unknown_parameters>> from(RequestContext& context) {
    Result<Query<T, unknown_parameters>> query{std::in_place};
    if (auto read = read_query(type_info<T>, unknown_parameters, &query->value, context.request); !read) {
      return fail_from(read);
    }
    return query;
  }
  static void describe(Route& route) { route.query = &type_info<T>; }
};

template <>
struct Extract<Client> {
  static Result<Client> from(RequestContext& context) {
    const auto& request = context.request;
    return Client{request.client.address,
                  text::to_storable_text(request.client.user_agent, limits::user_agent_max_bytes),
                  request.id};
  }
};

template <>
struct Extract<AnswerHeaders> {
  static Result<AnswerHeaders> from(RequestContext& context) { return AnswerHeaders{context.request}; }
};

template <>
struct Extract<RawRequest> {
  static Result<RawRequest> from(RequestContext& context) { return RawRequest{&context.request}; }
};

/// Has its answer at once, always.
template <class T>
concept ReadyExtractor = requires(RequestContext& context) {
  { Extract<T>::from(context) } -> std::same_as<Result<T>>;
};
/// May need to wait.
template <class T>
concept WaitingExtractor = requires(RequestContext& context) {
  { Extract<T>::from(context) } -> std::same_as<Task<Result<T>>>;
};
/// May need to wait, and often need not.
template <class T>
concept TryingExtractor = WaitingExtractor<T> && requires(RequestContext& context) {
  { Extract<T>::try_from(context) } -> std::same_as<std::optional<Result<T>>>;
};
template <class T>
concept Extractable = ReadyExtractor<T> || WaitingExtractor<T>;

}  // namespace keyward::web
