// TypeInfo: a C++ type as data. The templates here turn each described type into one constant table; reading,
// writing and the OpenAPI schema are plain functions over such tables, compiled once (decode.cpp, encode.cpp,
// openapi/).
#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "web/endpoint/checks.hpp"
#include "web/endpoint/field.hpp"

namespace keyward::web {

enum class Kind : std::uint8_t {
  text,
  text_view,
  secret,
  boolean,
  integer,
  number,
  uuid,
  time,
  enumeration,
  optional,  // absent or null: nothing
  patch,     // Field<T>: absent, null or a value
  list,
  object,
  json,  // RawJson: JSON that is ready as it is; only written
};

struct MemberInfo;

/// One constant per type. Which members are set depends on `kind`.
struct TypeInfo {
  Kind kind = Kind::text;
  std::string_view name;                // object, enumeration: qualified C++ name; empty: described in place
  const MemberInfo* members = nullptr;  // object
  std::size_t member_count = 0;
  const std::string_view* names = nullptr;  // enumeration; its values are get_/set_integer's indices
  std::size_t name_count = 0;
  const TypeInfo* element = nullptr;  // optional, patch, list
  std::int64_t minimum = 0;           // integer
  std::int64_t maximum = 0;
  bool unsigned_64 = false;

  std::int64_t (*get_integer)(const void*) = nullptr;  // integer, enumeration
  void (*set_integer)(void*, std::int64_t) = nullptr;
  std::size_t (*count)(const void*) = nullptr;  // optional, patch (0 or 1), list
  const void* (*at)(const void*, std::size_t) = nullptr;
  void* (*add)(void*) = nullptr;      // a new element, to be filled
  void (*set_null)(void*) = nullptr;  // patch
};

struct MemberInfo {
  std::string_view name;
  const TypeInfo* type = nullptr;
  Rules rules;
  void* (*address)(void* object) = nullptr;
  const void* (*const_address)(const void* object) = nullptr;
};

/// JSON that was made elsewhere, written as it is: `{"keys": [...]}`.
struct RawJson {
  std::string text;
};

/// True when the type holds a Secret at any depth: its body is wiped after reading.
bool holds_secret(const TypeInfo& type);

namespace detail {

template <class T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;
template <class T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
using Members =
    boost::describe::describe_members<T, static_cast<unsigned>(boost::describe::mod_public) |
                                             static_cast<unsigned>(boost::describe::mod_inherited)>;

template <class T>
consteval std::string_view type_name() {
  const std::string_view text =
      __PRETTY_FUNCTION__;  // "... [T = keyward::login::Form]"; GCC: "[with T = ...; ...]"
  const auto begin = text.find("T = ") + 4;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

template <class T>
inline constexpr bool never = false;

template <class T>
struct Describe {
  static_assert(never<T>,
                "Keyward: this type cannot be read from or written as JSON: describe it with "
                "BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_ENUM");
};

}  // namespace detail

/// The table of T.
template <class T>
inline constexpr TypeInfo type_info = detail::Describe<T>::make();

namespace detail {

template <Kind kind>
struct DescribeSimple {
  static consteval TypeInfo make() { return {.kind = kind}; }
};
template <>
struct Describe<std::string> : DescribeSimple<Kind::text> {};
template <>
struct Describe<std::string_view> : DescribeSimple<Kind::text_view> {};
template <>
struct Describe<Secret> : DescribeSimple<Kind::secret> {};
template <>
struct Describe<bool> : DescribeSimple<Kind::boolean> {};
template <>
struct Describe<double> : DescribeSimple<Kind::number> {};
template <>
struct Describe<Uuid> : DescribeSimple<Kind::uuid> {};
template <>
struct Describe<Time> : DescribeSimple<Kind::time> {};
template <>
struct Describe<RawJson> : DescribeSimple<Kind::json> {};

template <std::integral T>
struct Describe<T> {
  static consteval TypeInfo make() {
    constexpr bool wide = std::is_unsigned_v<T> && sizeof(T) == sizeof(std::int64_t);
    return {
        .kind = Kind::integer,
        .minimum = static_cast<std::int64_t>(std::numeric_limits<T>::min()),
        .maximum = wide ? std::numeric_limits<std::int64_t>::max()
                        : static_cast<std::int64_t>(std::numeric_limits<T>::max()),
        .unsigned_64 = wide,
        .get_integer =
            [](const void* from) { return static_cast<std::int64_t>(*static_cast<const T*>(from)); },
        .set_integer = [](void* to, std::int64_t value) { *static_cast<T*>(to) = static_cast<T>(value); }};
  }
};

template <DescribedEnum T>
struct Describe<T> {
  template <template <class...> class List, class... Ds>
  struct Table {
    static constexpr std::array<std::string_view, sizeof...(Ds)> names{std::string_view{Ds::name}...};
    static constexpr std::array<T, sizeof...(Ds)> values{Ds::value...};
  };
  template <template <class...> class List, class... Ds>
  static consteval auto table(List<Ds...>*) -> Table<List, Ds...>;
  using Names = decltype(table(static_cast<boost::describe::describe_enumerators<T>*>(nullptr)));

  static consteval TypeInfo make() {
    return {.kind = Kind::enumeration,
            .name = type_name<T>(),
            .names = Names::names.data(),
            .name_count = Names::names.size(),
            .get_integer =
                [](const void* from) {
                  std::int64_t index = 0;
                  for (const T value : Names::values) {
                    if (value == *static_cast<const T*>(from)) return index;
                    ++index;
                  }
                  return std::int64_t{-1};
                },
            .set_integer =
                [](void* to, std::int64_t index) {
                  *static_cast<T*>(to) = Names::values[static_cast<std::size_t>(index)];
                }};
  }
};

template <class T>
struct Describe<std::optional<T>> {
  using Self = std::optional<T>;
  static consteval TypeInfo make() {
    return {
        .kind = Kind::optional,
        .element = &type_info<T>,
        .count = [](const void* from) { return std::size_t{static_cast<const Self*>(from)->has_value()}; },
        .at = [](const void* from, std::size_t) -> const void* { return &**static_cast<const Self*>(from); },
        .add = [](void* to) -> void* { return &static_cast<Self*>(to)->emplace(); }};
  }
};

template <class T>
struct Describe<Field<T>> {
  using Self = Field<T>;
  static consteval TypeInfo make() {
    return {
        .kind = Kind::patch,
        .element = &type_info<T>,
        .count = [](const void* from) { return std::size_t{static_cast<const Self*>(from)->has_value()}; },
        .at = [](const void* from, std::size_t) -> const void* { return &**static_cast<const Self*>(from); },
        .add = [](void* to) -> void* { return &static_cast<Self*>(to)->emplace(); },
        .set_null = [](void* to) { static_cast<Self*>(to)->set_null(); }};
  }
};

template <class T>
struct Describe<std::vector<T>> {
  static_assert(!std::is_same_v<T, bool>, "Keyward: vector<bool> has no elements to point at");
  using Self = std::vector<T>;
  static consteval TypeInfo make() {
    return {.kind = Kind::list,
            .element = &type_info<T>,
            .count = [](const void* from) { return static_cast<const Self*>(from)->size(); },
            .at = [](const void* from, std::size_t i) -> const void* {
              return &(*static_cast<const Self*>(from))[i];
            },
            .add = [](void* to) -> void* { return &static_cast<Self*>(to)->emplace_back(); }};
  }
};

/// The rules that T::checks() gives for `member`; none when it gives none.
template <class T, class Member>
consteval Rules rules_of(Member T::* member) {
  Rules result;
  if constexpr (requires { T::checks(); }) {
    std::apply(
        [&](auto... each) {
          const auto look = [&](const auto& field) {
            if constexpr (std::is_same_v<decltype(field.member), Member T::*>) {
              if (field.member == member) result = field.rules;
            }
          };
          (look(each), ...);
        },
        T::checks());
  }
  return result;
}

template <class T, class D>
consteval MemberInfo member_info() {
  using Member = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;
  return {.name = D::name,
          .type = &type_info<Member>,
          .rules = rules_of<T>(static_cast<Member T::*>(D::pointer)),
          .address = [](void* object) -> void* { return &(static_cast<T*>(object)->*D::pointer); },
          .const_address = [](const void* object) -> const void* {
            return &(static_cast<const T*>(object)->*D::pointer);
          }};
}

template <DescribedStruct T>
struct Describe<T> {
  template <class List>
  struct Table;
  template <template <class...> class List, class... Ds>
  struct Table<List<Ds...>> {
    static constexpr std::array<MemberInfo, sizeof...(Ds)> members{member_info<T, Ds>()...};
  };
  static consteval TypeInfo make() {
    using All = Table<Members<T>>;
    return {.kind = Kind::object,
            .name = type_name<T>(),
            .members = All::members.data(),
            .member_count = All::members.size()};
  }
};

}  // namespace detail
}  // namespace keyward::web
