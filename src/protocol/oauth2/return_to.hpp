// Where a browser is sent when a login is over: a path of our own origin, or an address of a listed one.
//
// RFC 9700 §4.11 (open redirectors); what browsers make of an address: WHATWG URL Standard §4.4. Threats
// (F8): an address that this check reads in one way and a browser in another: `//evil`, `/\evil`, tabs and
// line ends, `https:evil`, userinfo, other cases, a port that is the default, dots that are removed and leave
// `//` (answer: nothing is parsed leniently; only spellings that every parser reads alike are taken, and an
// origin is compared as the exact text of a browser's Origin header) · `javascript:` and its like (answer:
// https, or http to a listed loopback origin, nothing else) · header injection (answer: characters of RFC
// 3986 only).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::protocol::oauth2 {

/// What goes into Location: `given` itself. Error: invalid_input for the field `return_to`. An entry
/// of `origins` is one as a browser spells it, which allows every path there, or one with a path, which
/// allows that path with any query. Any other allows nothing.
Result<std::string> check_return_to(std::string_view given, std::span<const std::string> origins);

}  // namespace keyward::protocol::oauth2
