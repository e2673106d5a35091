// Values: what a parameter and a column may be, and how C++ types become them.
//
//   std::int64_t (and smaller integers as parameters)  BIGINT      bool                        BOOLEAN
//   std::string, std::string_view, literals            TEXT        Time                        BIGINT,
//   microseconds since 1970 Bytes, BytesView, std::array<std::uint8_t, N>      BYTEA       Uuid BYTEA of 16
//   std::optional<T> of any of these, std::nullopt     NULL
//
// Text is valid UTF-8 without NUL in every engine, as PostgreSQL wants it: other text is refused, on SQLite
// too.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/uuid.hpp"

namespace keyward::storage {

struct Null {};

/// A value that somebody else owns. A column's is valid until the statement moves on.
using ValueView = std::variant<Null, std::int64_t, bool, std::string_view, BytesView>;

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_byte_array = false;
template <std::size_t Size>
inline constexpr bool is_byte_array<std::array<std::uint8_t, Size>> = true;
template <class T>
inline constexpr bool is_character =
    std::same_as<T, char> || std::same_as<T, wchar_t> || std::same_as<T, char8_t> ||
    std::same_as<T, char16_t> || std::same_as<T, char32_t>;
/// Integers that every BIGINT can hold.
template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !is_character<T> &&
                  (std::signed_integral<T> || sizeof(T) < sizeof(std::int64_t));
template <class>
inline constexpr bool never = false;

/// Throws std::invalid_argument when `text` is not UTF-8 or holds a NUL.
void check_text(std::string_view text);
/// Throws std::logic_error: the column holds something that the program does not expect.
[[noreturn]] void refuse_value(const ValueView& value, std::string_view wanted, std::string_view column);

template <class T>
const T& expect(const ValueView& value, std::string_view wanted, std::string_view column) {
  if (const T* held = std::get_if<T>(&value)) return *held;
  refuse_value(value, wanted, column);
}

}  // namespace detail

/// What one column can be read into.
template <class T>
concept ColumnType = std::same_as<T, std::int64_t> || std::same_as<T, bool> || std::same_as<T, std::string> ||
                     std::same_as<T, Bytes> || std::same_as<T, Uuid> || std::same_as<T, Time> ||
                     detail::is_byte_array<T> || detail::is_optional<T>;

template <class T>
ValueView to_value(const T& given) {
  if constexpr (std::same_as<T, bool>) {
    return ValueView{std::in_place_type<bool>, given};
  } else if constexpr (detail::Integer<T>) {
    return ValueView{std::in_place_type<std::int64_t>, given};
  } else if constexpr (std::same_as<T, Time>) {
    return ValueView{std::in_place_type<std::int64_t>, given.time_since_epoch().count()};
  } else if constexpr (std::same_as<T, Uuid>) {
    return ValueView{std::in_place_type<BytesView>, given.bytes};
  } else if constexpr (std::same_as<T, std::nullopt_t>) {
    return Null{};
  } else if constexpr (detail::is_optional<T>) {
    return given ? to_value(*given) : ValueView{Null{}};
  } else if constexpr (!std::is_pointer_v<T> && std::convertible_to<const T&, std::string_view>) {
    const std::string_view text = given;
    detail::check_text(text);
    return ValueView{std::in_place_type<std::string_view>, text};
  } else if constexpr (std::convertible_to<const T&, BytesView>) {
    return ValueView{std::in_place_type<BytesView>, BytesView{given}};
  } else {
    static_assert(detail::never<T>,
                  "this type is no SQL value: see the table at the head of storage/value.hpp");
  }
}

template <ColumnType T>
T from_value(const ValueView& value, std::string_view column) {
  if constexpr (detail::is_optional<T>) {
    if (std::holds_alternative<Null>(value)) return std::nullopt;
    return from_value<typename T::value_type>(value, column);
  } else if constexpr (std::same_as<T, std::int64_t>) {
    return detail::expect<std::int64_t>(value, "BIGINT", column);
  } else if constexpr (std::same_as<T, Time>) {
    return Time{microseconds{detail::expect<std::int64_t>(value, "BIGINT", column)}};
  } else if constexpr (std::same_as<T, bool>) {
    // SQLite keeps a BOOLEAN as the integer 0 or 1.
    if (const auto* number = std::get_if<std::int64_t>(&value); number && (*number == 0 || *number == 1)) {
      return *number == 1;
    }
    return detail::expect<bool>(value, "BOOLEAN", column);
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string{detail::expect<std::string_view>(value, "TEXT", column)};
  } else {
    const BytesView bytes = detail::expect<BytesView>(value, "BYTEA", column);
    if constexpr (std::same_as<T, Bytes>) {
      return Bytes{bytes.begin(), bytes.end()};
    } else {
      T result{};
      std::uint8_t* to = nullptr;
      if constexpr (std::same_as<T, Uuid>) {
        to = result.bytes.data();
      } else {
        to = result.data();
      }
      if (bytes.size() != sizeof(T)) detail::refuse_value(value, "BYTEA of a fixed size", column);
      for (std::size_t i = 0; i < bytes.size(); ++i) to[i] = bytes[i];
      return result;
    }
  }
}

}  // namespace keyward::storage
