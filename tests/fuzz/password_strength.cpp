// New passwords (domain/passwords): what a client chose, and zxcvbn, a C library that reads it.
//
// The input: a line of the address, one of the full name, and the password, with whatever is in it.
//
// Must hold: what is prepared is prepared once and for ever the same; an estimate is a number, and no smaller
// than that of the password's beginning; words are few and short; a refusal is a sentence on the field.
#include <cmath>

#include "base/limits.hpp"
#include "domain/passwords/password_policy.hpp"
#include "domain/passwords/password_strength.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {

namespace {

using namespace domain;

/// One sentence, on the field that was asked about.
void check_refusal(const Error& error) {
  must_hold(error.fields.size() == 1 && error.fields.front().field == "password", "the field is named");
  must_hold(is_sentence(error.fields.front().message), "a refusal is a sentence");
}

}  // namespace

KEYWARD_FUZZ_TARGET(password_strength) {
  Input bytes{input};
  const std::string_view email = bytes.line();
  const std::string_view full_name = bytes.line();
  const PasswordContext context{.email = email, .full_name = full_name, .service_name = "Keyward"};
  const auto words = context_words(context);
  must_hold(words.size() <= 24, "few words");
  for (const auto& word : words) must_hold(word.size() >= 3 && word.size() <= 32, "of 3 to 32 bytes");

  const auto prepared = prepare_password(Secret{bytes.rest()});
  if (!prepared) {
    check_refusal(prepared.error());
    return;
  }
  must_hold(prepared->size() <= limits::password_max_bytes, "a password has its limit");
  const auto again = prepare_password(Secret{prepared->text()});
  must_hold(again && again->text() == prepared->text(), "prepared twice is prepared once");

  const auto strength = estimate_strength(*prepared, words);
  must_hold(std::isfinite(strength.guesses_log10) && strength.guesses_log10 >= 0, "an estimate is a number");
  // Of ASCII, so that a cut is UTF-8 too.
  const auto beginning = prepared->bytes().first(std::min<std::size_t>(prepared->size(), 32));
  if (std::ranges::all_of(beginning, [](std::uint8_t byte) { return byte < 0x80; })) {
    must_hold(estimate_strength(*prepared, {}).guesses_log10 >=
                  estimate_strength(Secret{beginning}, {}).guesses_log10,
              "a password is not easier to guess than its beginning");
  }

  const PasswordPolicy lenient{.min_code_points = 0, .min_guesses_log10 = 0};
  const PasswordPolicy strict{.min_code_points = 8, .min_guesses_log10 = 6};
  const auto by_lenient = blocking_check_new_password(*prepared, lenient, context);
  const auto by_strict = blocking_check_new_password(*prepared, strict, context);
  if (!by_lenient) check_refusal(by_lenient.error());
  must_hold(!by_strict || by_lenient, "what a strict policy takes, a lenient one takes");
  must_hold(!by_strict || strength.guesses_log10 >= 6, "and it is as strong as asked for");
  if (by_strict) return;
  check_refusal(by_strict.error());
}

}  // namespace keyward::fuzz
