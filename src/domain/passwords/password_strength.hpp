// How many guesses a password would take: libzxcvbn, with the words that an attacker knows of this user.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "domain/passwords/password_policy.hpp"

namespace keyward::domain {

/// What makes a password quick to guess, for the sentence that refuses it.
enum class WeakPart : std::uint8_t { none, context, pattern };

struct PasswordStrength {
  double guesses_log10 = 0;
  WeakPart weak_part = WeakPart::none;
};

/// The e-mail address, its local part, the names, each whole, without punctuation, and in its parts of three
/// letters or more.
std::vector<std::string> context_words(const PasswordContext& context);

PasswordStrength estimate_strength(const Secret& prepared, const std::vector<std::string>& words);

}  // namespace keyward::domain
