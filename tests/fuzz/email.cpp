// E-mail addresses (text/email), their domains in IDNA form, and mailboxes of settings (mail/mailbox).
//
// Must hold: a normalised address is an address, and normalising it once more changes nothing; so two
// spellings of one address meet. What goes on the wire is ASCII behind its @ and has no line end in it.
#include "text/email.hpp"

#include "fuzz.hpp"
#include "mail/mailbox.hpp"
#include "mail/mails.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_mailbox(std::string_view text) {
  const auto mailbox = mail::parse_mailbox(text);
  if (!mailbox) {
    must_hold(is_sentence(mailbox.error()), "a refusal is a sentence");
    return;
  }
  must_hold(text::is_utf8(mailbox->name) && !text::has_control_character(mailbox->name),
            "a name is one line");
  must_hold(is_ascii(mail::domain_of(mailbox->address)), "a domain is ASCII on the wire");
  must_hold(mailbox->address.find_first_of("\r\n<> ") == std::string::npos, "an address ends no line");
}

}  // namespace

KEYWARD_FUZZ_TARGET(email) {
  const std::string_view text = as_text(input);
  check_mailbox(text);
  const std::string prefix = text::normalize_email_prefix(text);
  const auto email = text::parse_email(text);
  if (!email) {
    must_hold(is_sentence(email.error().message), "a refusal is a sentence");
    return;
  }
  must_hold(text.contains(email->as_typed), "what was typed is kept");
  must_hold(prefix == email->normalized, "a whole address is its own prefix");
  must_hold(email->normalized.size() <= 4 * text.size() + 256, "normalising does not blow up");
  const auto at = email->normalized.rfind('@');
  must_hold(at != std::string::npos && is_ascii(std::string_view{email->normalized}.substr(at)),
            "a domain is ASCII");

  const auto again = text::parse_email(email->normalized);
  // A local part that grows when it is folded may grow beyond what an address may have.
  if (again) must_hold(again->normalized == email->normalized, "normalising twice is normalising once");
  if (email->normalized.size() <= email->as_typed.size()) {
    must_hold(again.has_value(), "a normalised address is an address");
  }

  const std::string wire = mail::to_wire_address(*email);
  const auto of_wire = text::parse_email(wire);
  must_hold(of_wire && of_wire->normalized == email->normalized,
            "the address on the wire is the same address");
  must_hold(is_ascii(mail::domain_of(wire)), "with a domain in ASCII");
  const std::string shown = mail::to_shown(*email);
  must_hold(text::is_utf8(shown) && !text::has_control_character(shown), "what is shown of it is one line");
}

}  // namespace keyward::fuzz
