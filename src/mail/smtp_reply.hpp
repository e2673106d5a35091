// What a mail server's answer means for the mail, and what of it may be shown: pure functions.
//
// Threats: a mail lost for a mistake of ours that can be mended (only an answer to the recipient or the
// content ends a mail, and none that asks for a login or tells of a policy against us) · who a mail was for,
// in a log (addresses are struck out, in whatever form the server repeats them) · controls for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "mail/transport.hpp"

namespace keyward::mail {

/// `verb` of the last command that was said, `reply` the last line that came.
Delivery::Verdict judge_reply(std::string_view verb, std::string_view reply);

/// One line without controls, cut, and without who the mail was for: it goes to the log and to `mail list`.
std::string to_reason(std::string_view text, std::string_view recipient);

}  // namespace keyward::mail
