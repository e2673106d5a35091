// The described structs that the targets json and form read inputs into: every kind of member, nested, with
// limits.
#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <optional>
#include <string>
#include <vector>

#include "web/endpoint/checks.hpp"
#include "web/endpoint/encode.hpp"
#include "web/endpoint/input.hpp"
#include "web/endpoint/type_info.hpp"

namespace keyward::fuzz {

enum class Color : std::uint8_t { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Address {
  std::string city;
  std::optional<std::uint16_t> number;
};
BOOST_DESCRIBE_STRUCT(Address, (), (city, number))

struct Everything {
  std::string name;
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t big = 0;
  double ratio = 0;
  Uuid id;
  Time at;
  Color color = Color::red;
  std::vector<std::string> roles;
  std::vector<Address> places;
  std::optional<std::string> nickname;
  int limit = 20;

  static constexpr auto checks() {
    return web::fields(
        web::field(&Everything::name, web::MinCodePoints{2}, web::MaxCodePoints{4},
                   web::NoControlCharacters{}),
        web::field(&Everything::roles, web::MaxItems{2}, web::MinCodePoints{1}),
        web::field(&Everything::places, web::MayBeAbsent{}, web::MaxItems{3}),
        web::field(&Everything::limit, web::MayBeAbsent{}, web::Minimum{1}, web::Maximum{100}));
  }
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (name, flag, small, big, ratio, id, at, color, roles, places, nickname, limit))

/// As a form can have it: nothing nested.
struct Flat {
  std::string name;
  std::optional<bool> flag;
  std::optional<std::int64_t> number;
  std::optional<double> ratio;
  std::optional<Time> at;
  std::optional<Color> color;

  static constexpr auto checks() { return web::fields(web::field(&Flat::name, web::MaxCodePoints{8})); }
};
BOOST_DESCRIBE_STRUCT(Flat, (), (name, flag, number, ratio, at, color))

struct Login {
  std::string email;
  Secret password;

  static constexpr auto checks() {
    return web::fields(web::field(&Login::email, web::Email{}),
                       web::field(&Login::password, web::MinCodePoints{8}, web::MaxCodePoints{256}));
  }
};
BOOST_DESCRIBE_STRUCT(Login, (), (email, password))

struct Change {
  web::Field<std::string> full_name;
  web::Field<std::string> locale;

  static constexpr auto checks() {
    return web::fields(web::field(&Change::full_name, web::MaxCodePoints{5}, web::NoControlCharacters{}));
  }
};
BOOST_DESCRIBE_STRUCT(Change, (), (full_name, locale))

}  // namespace keyward::fuzz
