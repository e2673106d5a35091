// Texts that people and programs send (text/unicode, the value of a mail, a name to greet with).
//
// Must hold: normalising twice is normalising once; a cut text is UTF-8 and within its limit; one line is one
// line.
#include "text/unicode.hpp"

#include "fuzz.hpp"
#include "mail/mails.hpp"
#include "mail/outbox.hpp"
#include "mail/smtp_reply.hpp"
#include "protocol/oauth2/provider_words.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(unicode) {
  Input given{input};
  const std::size_t max_bytes = given.below(64);
  const std::string_view text = given.rest();
  const bool is_utf8 = text::is_utf8(text);

  const auto normal = text::to_nfc(text);
  must_hold(normal.has_value() == is_utf8, "UTF-8 has a normal form, and nothing else has");
  if (normal) {
    must_hold(text::is_utf8(*normal) && text::to_nfc(*normal) == normal,
              "normalising twice is normalising once");
    const auto secret = text::to_nfc(Secret{text});
    must_hold(secret && secret->text() == *normal, "a secret is normalised alike");
    must_hold(text::count_code_points(text) <= text.size(), "a code point has a byte at least");
  }
  const std::string cut = text::to_storable_text(text, max_bytes);
  must_hold(cut.size() <= max_bytes && text::is_utf8(cut) && !cut.contains('\0'),
            "a stored text is storable");
  must_hold(text::to_storable_text(cut, max_bytes) == cut, "and stays as it is");

  const std::string line = text::to_one_line(cut);
  must_hold(text::is_utf8(line) && !text::has_control_character(line) && text::to_one_line(line) == line,
            "one line is one line");
  const std::string value = mail::to_value(text);
  must_hold(text::is_utf8(value) && !text::has_control_character(value), "a mail's value is one line");
  const std::string words = protocol::oauth2::provider_words(text);
  must_hold(text::is_utf8(words) && !text::has_control_character(words), "a provider's words are one line");
  const std::string reason = mail::to_reason(text, "ann@example.com");
  must_hold(text::is_utf8(reason) && !text::has_control_character(reason), "so is a mail server's");
  must_hold(!reason.contains("ann@example.com"), "which names no recipient");
  (void)mail::judge_reply("DATA", text);
  if (!is_utf8) return;
  const std::string greeting = mail::to_greeting(std::string{text});
  must_hold(greeting.empty() || (!text::has_hidden_character(greeting) && !greeting.contains('/')),
            "a name to greet with is a name");
}

}  // namespace keyward::fuzz
