// What may be a password, and the one form in which it is measured, hashed and compared.
//
// A password is taken as typed: every character counts, also spaces, NUL and any of Unicode; nothing is
// trimmed, cut or folded (P2, P3; NIST SP 800-63B-4 §3.1.1.2). One thing is done to it, once and for ever the
// same: Normalization Form C, because the same key on two keyboards gives `é` as one code point or as two. No
// rule asks for digits or capitals; a password is refused for being short, common, made of the user's own
// name or address, or quick to guess.
//
// Threats: long input as work (bytes are counted before anything else, P4); the lists that attackers try
// first (P5); words that an attacker knows of the user (P6). A login never asks for strength, or a rule made
// stricter would lock people out.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace keyward::domain {

struct PasswordPolicy {
  std::size_t min_code_points = 8;
  /// The decimal logarithm of the guesses that an informed attacker is thought to need. 6 is where zxcvbn's
  /// scale goes from "very guessable" to "somewhat guessable" (score 2): more than a limited login will ever
  /// let through. The common and the common with a digit behind stand below 5, two ordinary words near 6,
  /// three words or eight random characters above 9.
  double min_guesses_log10 = 6.0;
};

/// What an attacker knows beside the password. Each may be empty.
struct PasswordContext {
  std::string_view email;
  std::string_view full_name;
  std::string_view service_name;
};

/// For every password that comes in, to be set or to be verified. Errors name `field`: over
/// limits::password_max_bytes (before and after normalization), not UTF-8.
Result<Secret> prepare_password(Secret raw, std::string_view field = "password");

/// For a password that is to be set; `prepared` comes from prepare_password. The error is one sentence on
/// `field` that says why. Typically 0.1 ms, but up to 10 ms for text chosen to slow it down: off the loop, as
/// PasswordHasher::hash_new does it. The estimate looks at the first 64 bytes. From any thread.
Result<void> blocking_check_new_password(const Secret& prepared, const PasswordPolicy& policy,
                                         const PasswordContext& context, std::string_view field = "password");

}  // namespace keyward::domain
