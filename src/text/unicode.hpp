// UTF-8 and Unicode: what a password and a name need.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace keyward::text {

/// Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

/// Code points in well-formed UTF-8: the unit of every length that a person sees.
std::size_t count_code_points(std::string_view text);

/// Normalization Form C; nothing when the text is not UTF-8. Made once, before a password is measured or
/// hashed (P2).
std::optional<std::string> to_nfc(std::string_view text);
/// The same for a secret: every buffer on the way is wiped.
std::optional<Secret> to_nfc(const Secret& text);

/// Fit to be stored as TEXT: whatever is not UTF-8, and NUL, becomes U+FFFD, and it is cut between code
/// points at `max_bytes`. For what nobody typed, such as a User-Agent.
std::string to_storable_text(std::string_view text, std::size_t max_bytes);

/// True when the text has a control character (C0, DEL, C1) or a line separator: never in a name.
bool has_control_character(std::string_view text);

}  // namespace keyward::text
