// Mailbox: who a mail is from, "Name <address>"; and the one form in which an address stands in an envelope.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "text/email.hpp"

namespace keyward::mail {

struct Mailbox {
  std::string name;     // may be empty
  std::string address;  // as to_wire_address makes it
};

/// `address` or `Name <address>`, the name with or without double quotes. The error says what is allowed.
std::expected<Mailbox, std::string> parse_mailbox(std::string_view text);

/// The local part as typed, the domain in its A-label form (`xn--…`): fit for SMTP and for a header.
std::string to_wire_address(const text::EmailAddress& email);

/// What stands behind the @.
std::string_view domain_of(std::string_view address);

}  // namespace keyward::mail
