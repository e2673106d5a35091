// Percent-decoding, strictly: a '%' that two hexadecimal digits do not follow is an error, never a literal.
#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::web {

/// One path segment (RFC 3986 §2.1): bad_request unless it decodes to UTF-8 without NUL.
Result<std::string> decode_path_segment(std::string_view segment);

/// `a=1&b=2` as application/x-www-form-urlencoded (the query string too): members of `to`, each a string. A
/// pair without
/// '=' has an empty value; an empty pair is skipped. bad_request: a bad escape, no UTF-8, a name given twice,
/// or more than `pairs_max` pairs. Everything decoded stands in the memory of `to`.
Result<void> read_urlencoded(std::string_view text, std::size_t pairs_max, boost::json::object& to);

}  // namespace keyward::web
