// TypedEndpoint: a handler whose parameters are extracted in order, made from its signature. Types end here:
// the router and everything behind it see an Endpoint.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "web/endpoint/answer.hpp"
#include "web/endpoint/extract.hpp"
#include "web/endpoint/route.hpp"
#include "web/problem.hpp"

namespace keyward::web::detail {

template <class T>
struct AnswerOf {
  static_assert(never<T>, "Keyward: a handler returns Result<T> or Task<Result<T>>");
};
template <class T>
struct AnswerOf<Result<T>> {
  using Type = std::conditional_t<std::is_void_v<T>, NoContent, T>;
  static constexpr bool waits = false;
};
template <class T>
struct AnswerOf<Task<Result<T>>> : AnswerOf<Result<T>> {
  static constexpr bool waits = true;
};

template <class... Parameters>
consteval void check_parameters() {
  constexpr std::size_t access_types = (std::size_t{AccessType<Parameters>} + ... + 0);
  constexpr bool access_first = [] {
    if constexpr (sizeof...(Parameters) == 0) {
      return false;
    } else {
      return AccessType<std::tuple_element_t<0, std::tuple<Parameters...>>>;
    }
  }();
  static_assert(
      access_first,
      "Keyward: a handler says who may call it: its first parameter is an access type (Public, SignedIn, "
      "HasRole<...>, HasPermission<...>)");
  static_assert(access_types <= 1, "Keyward: a handler says who may call it once: it has two access types");
  static_assert((Extractable<Parameters> && ...),
                "Keyward: a handler's parameters are an access type, then Body<T>, Path<\"name\", T>, "
                "Query<T>, Client, AnswerHeaders or RawRequest, by value");
}

template <class Object, class Handler, class Returned, class... Parameters>
class TypedEndpoint final : public Endpoint {
 public:
  TypedEndpoint(Object& object, Handler handler) : object_(object), handler_(handler) {}

  Answer start(RequestContext& context) override {
    Arguments arguments;
    std::optional<Error> refusal;
    if (!take_ready(context, arguments, refusal, Indices{})) {
      if (refusal) return to_problem(*refusal, context.request);
      return finish(context, std::move(arguments), Indices{});
    }
    if constexpr (waits) {
      return answer_later(context, call(arguments, Indices{}));
    } else {
      return respond(context, call(arguments, Indices{}));
    }
  }

 private:
  using Arguments = std::tuple<std::optional<Parameters>...>;
  using Indices = std::index_sequence_for<Parameters...>;
  static constexpr bool waits = AnswerOf<Returned>::waits;

  /// Stops at the first parameter that has to wait, or is refused: what stands first is decided first.
  template <std::size_t... index>
  static bool take_ready(RequestContext& context, Arguments& arguments, std::optional<Error>& refusal,
                         std::index_sequence<index...>) {
    return (take_if_ready(context, std::get<index>(arguments), refusal) && ...);
  }

  template <class T>
  static bool take_if_ready(RequestContext& context, std::optional<T>& slot, std::optional<Error>& refusal) {
    if constexpr (ReadyExtractor<T>) {
      return keep(Extract<T>::from(context), slot, refusal);
    } else if constexpr (TryingExtractor<T>) {
      auto tried = Extract<T>::try_from(context);
      return tried && keep(std::move(*tried), slot, refusal);
    } else {
      return false;
    }
  }

  template <class T>
  static bool keep(Result<T>&& taken, std::optional<T>& slot, std::optional<Error>& refusal) {
    if (taken) {
      slot.emplace(std::move(*taken));
    } else {
      refusal = std::move(taken).error();
    }
    return slot.has_value();
  }

  template <class T>
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<bool> take(RequestContext& context, std::optional<T>& slot, std::optional<Error>& refusal) {
    if constexpr (ReadyExtractor<T>) {
      co_return keep(Extract<T>::from(context), slot, refusal);
    } else {
      auto taken = co_await Extract<T>::from(context);
      co_return keep(std::move(taken), slot, refusal);
    }
  }

  /// The rest of start() for when something has to be waited for; `arguments` has what was taken so far.
  template <std::size_t... index>
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  Task<Response> finish(RequestContext& context, Arguments arguments, std::index_sequence<index...>) {
    std::optional<Error> refusal;
    const bool taken = ((std::get<index>(arguments).has_value() ||
                         co_await take(context, std::get<index>(arguments), refusal)) &&
                        ...);
    if (!taken) co_return to_problem(*refusal, context.request);
    if constexpr (waits) {
      auto result = co_await call(arguments, Indices{});
      co_return respond(context, std::move(result));
    } else {
      co_return respond(context, call(arguments, Indices{}));
    }
  }

  template <std::size_t... index>
  Returned call(Arguments& arguments, std::index_sequence<index...>) {
    return (object_.*handler_)(std::move(*std::get<index>(arguments))...);
  }

  // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): outlives the coroutine
  static Task<Response> answer_later(RequestContext& context, Returned task) {
    auto result = co_await std::move(task);
    co_return respond(context, std::move(result));
  }

  template <class T>
  static Response respond(RequestContext& context, Result<T> result) {
    if (!result) return to_problem(result.error(), context.request);
    if constexpr (std::is_void_v<T>) {
      return Answers<NoContent>::make({});
    } else {
      return Answers<T>::make(std::move(*result));
    }
  }

  Object& object_;
  Handler handler_;
};

template <class Object, class Handler, class Returned, class... Parameters>
void describe_route(Route& route, Object& object, Handler handler) {
  check_parameters<Parameters...>();
  if constexpr ((Extractable<Parameters> && ...) && sizeof...(Parameters) > 0) {
    using First = std::tuple_element_t<0, std::tuple<Parameters...>>;
    if constexpr (AccessType<First>) {
      route.security = First::security;
      const auto describe = [&route]<class T>(std::type_identity<T>) {
        if constexpr (requires { Extract<T>::describe(route); }) Extract<T>::describe(route);
      };
      (describe(std::type_identity<Parameters>{}), ...);
      Answers<typename AnswerOf<Returned>::Type>::describe(route);
      route.endpoint =
          std::make_unique<TypedEndpoint<Object, Handler, Returned, Parameters...>>(object, handler);
    }
  }
}

template <class Object, class Class, class Returned, class... Parameters>
void bind_handler(Route& route, Object& object, Returned (Class::*handler)(Parameters...)) {
  describe_route<Object, decltype(handler), Returned, Parameters...>(route, object, handler);
}
template <class Object, class Class, class Returned, class... Parameters>
void bind_handler(Route& route, Object& object, Returned (Class::*handler)(Parameters...) const) {
  describe_route<Object, decltype(handler), Returned, Parameters...>(route, object, handler);
}

}  // namespace keyward::web::detail
