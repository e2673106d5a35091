// What a provider says in words (`error`, `error_description`), fit for a log line and for an event.
//
// Threat: forged lines, control characters, texts without end (answer: one line of UTF-8, cut at
// limits::provider_text_max_bytes). It is shown to operators; nothing is decided by it.
#pragma once

#include <string>
#include <string_view>

namespace keyward::protocol::oauth2 {

std::string provider_words(std::string_view text);

}  // namespace keyward::protocol::oauth2
