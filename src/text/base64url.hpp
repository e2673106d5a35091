// base64url without padding (RFC 7515 §2, RFC 4648 §5), strictly.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace keyward::text {

std::string to_base64url(BytesView bytes);

/// Nothing for padding, white space, '+', '/', a length of 1 modulo 4, or trailing bits that are not zero
/// (J10): each byte string has one spelling only.
std::optional<Bytes> parse_base64url(std::string_view text);

}  // namespace keyward::text
