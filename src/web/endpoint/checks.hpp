// Checks: what a described struct says about its members beside their types. Parsing and OpenAPI read the
// same words.
//
//   struct RegisterForm {
//     std::string email; Secret password; std::optional<std::string> full_name;
//     static constexpr auto checks() {
//       return web::fields(web::field(&RegisterForm::email, web::Email{}),
//                          web::field(&RegisterForm::full_name, web::MaxCodePoints{200},
//                          web::NoControlCharacters{}));
//     }
//   };
//   BOOST_DESCRIBE_STRUCT(RegisterForm, (), (email, password, full_name))
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace keyward::web {

/// Nothing when the text is good; otherwise what is wrong with it, in words for the person who sent it.
using TextCheck = std::optional<std::string> (*)(std::string_view text);

/// All that is said about one member. Text rules hold for each element when the member is a list.
struct Rules {
  std::size_t min_code_points = 0;
  std::size_t max_code_points = std::numeric_limits<std::size_t>::max();
  bool no_control_characters = false;
  TextCheck check = nullptr;
  std::int64_t minimum = std::numeric_limits<std::int64_t>::min();
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  std::size_t max_items = 256;
  bool may_be_absent = false;
  bool write_only = false;
  std::string_view format;  // OpenAPI's word: email, uri, …
  std::string_view description;
  std::string_view example;
};

inline constexpr Rules no_rules{};

/// The check behind Email.
std::optional<std::string> check_email(std::string_view text);

// Each check is a small struct that writes itself into the rules; a new one needs nothing else.
struct Email {
  constexpr void apply(Rules& rules) const {
    rules.check = &check_email;
    rules.format = "email";
  }
};
struct MinCodePoints {
  std::size_t count;
  constexpr void apply(Rules& rules) const { rules.min_code_points = count; }
};
struct MaxCodePoints {
  std::size_t count;
  constexpr void apply(Rules& rules) const { rules.max_code_points = count; }
};
struct NoControlCharacters {
  constexpr void apply(Rules& rules) const { rules.no_control_characters = true; }
};
struct Check {
  TextCheck check;
  constexpr void apply(Rules& rules) const { rules.check = check; }
};
struct Minimum {
  std::int64_t value;
  constexpr void apply(Rules& rules) const { rules.minimum = value; }
};
struct Maximum {
  std::int64_t value;
  constexpr void apply(Rules& rules) const { rules.maximum = value; }
};
struct MaxItems {
  std::size_t count;
  constexpr void apply(Rules& rules) const { rules.max_items = count; }
};
/// An absent member keeps the value that the struct gives it: `int limit = 20;`.
struct MayBeAbsent {
  constexpr void apply(Rules& rules) const { rules.may_be_absent = true; }
};
struct WriteOnly {
  constexpr void apply(Rules& rules) const { rules.write_only = true; }
};
struct Format {
  std::string_view name;
  constexpr void apply(Rules& rules) const { rules.format = name; }
};
struct Description {
  std::string_view text;
  constexpr void apply(Rules& rules) const { rules.description = text; }
};
struct Example {
  std::string_view text;
  constexpr void apply(Rules& rules) const { rules.example = text; }
};

template <class Struct, class Member>
struct FieldRules {
  Member Struct::* member;
  Rules rules;
};

template <class Struct, class Member, class... Checks>
constexpr FieldRules<Struct, Member> field(Member Struct::* member, Checks... checks) {
  FieldRules<Struct, Member> result{member, {}};
  (checks.apply(result.rules), ...);
  return result;
}

template <class... Fields>
constexpr std::tuple<Fields...> fields(Fields... all) {
  return {all...};
}

}  // namespace keyward::web
