// Messages: RFC 5322 text with its MIME parts (RFC 2045, 2046 §5.1.4, 2047), composed by GMime.
//
// A mail is multipart/alternative: the plain text, then its HTML twin. It says that a machine wrote it
// (RFC 3834 §5: Auto-Submitted), so that nobody's holiday notice answers. The same mail composed again is the
// same bytes: its Message-ID, date and boundary come from its row. Threats: a header made by input (every
// text that goes into one is refused with a control character or a line separator; the rest is GMime's to
// encode) · a line that ends the mail or begins another (bodies are quoted-printable; SMTP's dot is
// libcurl's).
#pragma once

#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "mail/mailbox.hpp"

namespace keyward::mail {

struct MessageParts {
  Mailbox from;
  std::string to;  // as to_wire_address makes it
  std::string subject;
  std::string text;  // with line feeds
  std::string html;
  std::string locale;      // RFC 5646
  std::string message_id;  // without angle brackets
  std::string boundary;    // of the parts; letters, digits and hyphens
  Time date;
};

/// Error invalid_input: a text that cannot stand in a header. Needs no GMime, so it can be asked at every
/// start.
Result<void> check_parts(const MessageParts& parts);

/// The whole message with CRLF. Errors: of check_parts; internal.
Result<std::string> compose(const MessageParts& parts);

}  // namespace keyward::mail
