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

/// True when the text has a character that is not seen, or that changes how others are seen: those above, and
/// format characters (Cf: marks of direction, zero width).
bool has_hidden_character(std::string_view text);

/// One line of UTF-8: control characters and line separators become spaces, format characters are left out.
std::string to_one_line(std::string_view text);

/// Words of letters and marks, with apostrophes and hyphens in them and a dot only at their end: what a name
/// is made of, and neither an address nor a link is.
bool is_made_of_names(std::string_view text, std::size_t words_max);

}  // namespace keyward::text
