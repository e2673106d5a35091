#include "domain/passwords/password_policy.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "base/limits.hpp"
#include "domain/passwords/common_passwords.hpp"
#include "domain/passwords/password_strength.hpp"
#include "text/unicode.hpp"

namespace keyward::domain {
namespace {

std::unexpected<Error> fail_too_long(std::string_view field) {
  return fail_field(std::string{field},
                    fmt::format("The password is too long: at most {} bytes", limits::password_max_bytes));
}

/// 10^4.7 as "50 thousand": one figure, as befits an estimate.
std::string guesses_in_words(double guesses_log10) {
  constexpr std::array<std::string_view, 5> scales{"", " thousand", " million", " billion", " trillion"};
  if (guesses_log10 < 1) return "a handful of";
  const auto exponent = std::floor(guesses_log10 + 1e-9);
  auto figure = std::lround(std::pow(10.0, guesses_log10 - exponent));
  auto power = static_cast<std::size_t>(exponent);
  if (figure == 10) {
    figure = 1;
    ++power;
  }
  const auto scale = std::min(power / 3, scales.size() - 1);
  for (auto i = power - scale * 3; i > 0 && i < 16; --i) figure *= 10;
  return fmt::format("about {}{}", figure, scales[scale]);
}

std::string refusal(const PasswordStrength& strength) {
  if (strength.weak_part == WeakPart::context) {
    return "This password contains your e-mail address or name, and too little else";
  }
  return fmt::format("This password is too easy to guess: {} guesses. Make it longer, or add a word or two",
                     guesses_in_words(strength.guesses_log10));
}

}  // namespace

Result<Secret> prepare_password(Secret raw, std::string_view field) {
  if (raw.size() > limits::password_max_bytes) return fail_too_long(field);
  auto normalized = text::to_nfc(raw);
  if (!normalized) return fail_field(std::string{field}, "The password is not valid UTF-8");
  // A few code points become up to three times as long in NFC.
  if (normalized->size() > limits::password_max_bytes) return fail_too_long(field);
  return std::move(*normalized);
}

Result<void> blocking_check_new_password(const Secret& prepared, const PasswordPolicy& policy,
                                         const PasswordContext& context, std::string_view field) {
  const auto refuse = [field](std::string message) {
    return fail_field(std::string{field}, std::move(message));
  };
  const auto code_points = text::count_code_points(prepared.text());
  if (code_points < policy.min_code_points) {
    return refuse(fmt::format("The password is too short: at least {} characters", policy.min_code_points));
  }
  if (code_points > limits::password_max_code_points) {
    return refuse(
        fmt::format("The password is too long: at most {} characters", limits::password_max_code_points));
  }
  if (is_common_password(prepared.text())) return refuse("This is a very common password");
  const auto strength = estimate_strength(prepared, context_words(context));
  if (strength.guesses_log10 < policy.min_guesses_log10) return refuse(refusal(strength));
  return {};
}

}  // namespace keyward::domain
