// E-mail addresses: the one rule for what is an address, and for when two are the same.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace keyward::text {

struct EmailAddress {
  std::string as_typed;  // what the person wrote, trimmed: what mail is sent to
  /// The comparison key: local part in NFC and lower case (full Unicode case folding), domain lower case in
  /// its IDNA A-label form (`xn--…`, UTS #46 non-transitional, no trailing dot). Two addresses are one
  /// account when these are equal.
  std::string normalized;
};

/// `local@domain`: an RFC 5321 Mailbox with a dot-atom local part (UTF-8 allowed, RFC 6531) and a domain of
/// two or more labels; no quoted local part, no address literal, no comment. Error: invalid_input; its
/// message is fit for a field error.
Result<EmailAddress> parse_email(std::string_view text);

/// What the normalised addresses that begin with `text` begin with, as far as that can be told of a part: a
/// domain in another script is found only when it is whole.
std::string normalize_email_prefix(std::string_view text);

}  // namespace keyward::text
