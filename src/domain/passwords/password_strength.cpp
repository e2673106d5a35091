#include "domain/passwords/password_strength.hpp"

#include <zxcvbn.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

namespace keyward::domain {
namespace {

// zxcvbn's search grows with about the fifth power of the length: `8989…` of 100 bytes takes it 2 s, of 32
// bytes 2 ms. So it is shown windows, and the strongest window counts for the whole: a password is not easier
// to guess than a part of it.
constexpr std::size_t window_bytes = 32;
constexpr std::size_t windows_max = 2;
constexpr std::size_t words_max = 24;
constexpr std::size_t word_max_bytes = window_bytes;
constexpr std::size_t word_min_bytes = 3;

bool is_word_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z');
}

void add_word(std::vector<std::string>& words, std::string_view word) {
  if (word.size() < word_min_bytes || words.size() >= words_max) return;
  std::string cut{word.substr(0, word_max_bytes)};
  if (std::ranges::find(words, cut) == words.end()) words.push_back(std::move(cut));
}

/// `alice.smith`: itself, `alicesmith`, `alice`, `smith`.
void add_words(std::vector<std::string>& words, std::string_view text) {
  add_word(words, text);
  std::string joined;
  std::ranges::copy_if(text, std::back_inserter(joined), is_word_byte);
  add_word(words, joined);
  while (!text.empty()) {
    const auto end = std::ranges::find_if_not(text, is_word_byte);
    const auto length = static_cast<std::size_t>(end - text.begin());
    add_word(words, text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

struct MatchesFreed {
  void operator()(ZxcMatch_t* matches) const noexcept { ZxcvbnFreeInfo(matches); }
};

bool is_context(ZxcTypeMatch_t type) {
  const auto kind = static_cast<unsigned>(type) & ~static_cast<unsigned>(MULTIPLE_MATCH);
  return kind == USER_MATCH || kind == USER_LEET_MATCH;
}
bool is_pattern(ZxcTypeMatch_t type) {
  const auto kind = static_cast<unsigned>(type) & ~static_cast<unsigned>(MULTIPLE_MATCH);
  return kind != NON_MATCH && kind != BRUTE_MATCH;
}

/// zxcvbn takes a C string: a NUL is shown as another control character.
PasswordStrength estimate_window(BytesView window, std::vector<const char*>& dictionary) {
  auto shown = Secret::of_size(window.size() + 1);
  std::ranges::transform(window, shown.mutable_bytes().begin(),
                         [](std::uint8_t byte) { return byte == 0 ? std::uint8_t{1} : byte; });
  ZxcMatch_t* found = nullptr;
  const auto* text = reinterpret_cast<const char*>(shown.bytes().data());
  const double bits = ZxcvbnMatch(text, dictionary.data(), &found);
  const std::unique_ptr<ZxcMatch_t, MatchesFreed> matches{found};
  PasswordStrength strength{bits * std::numbers::ln2 / std::numbers::ln10, WeakPart::none};
  for (const auto* match = matches.get(); match != nullptr; match = match->Next) {
    if (is_context(match->Type)) strength.weak_part = WeakPart::context;
    if (is_pattern(match->Type) && strength.weak_part == WeakPart::none)
      strength.weak_part = WeakPart::pattern;
  }
  return strength;
}

PasswordStrength estimate(BytesView password, const std::vector<std::string>& words) {
  std::vector<const char*> dictionary;
  dictionary.reserve(words.size() + 1);
  for (const auto& word : words) dictionary.push_back(word.c_str());
  dictionary.push_back(nullptr);

  PasswordStrength strongest;
  for (std::size_t i = 0; i < windows_max && !password.empty(); ++i) {
    const auto window = password.first(std::min(window_bytes, password.size()));
    const auto strength = estimate_window(window, dictionary);
    if (i == 0 || strength.guesses_log10 > strongest.guesses_log10) strongest = strength;
    password = password.subspan(window.size());
  }
  return strongest;
}

Secret without_punctuation(const Secret& password) {
  auto kept = Secret::of_size(password.size());
  const auto end = std::ranges::copy_if(password.text(), kept.mutable_bytes().begin(), is_word_byte).out;
  return Secret{kept.bytes().first(static_cast<std::size_t>(end - kept.mutable_bytes().begin()))};
}

}  // namespace

std::vector<std::string> context_words(const PasswordContext& context) {
  std::vector<std::string> words;
  // The order is a rank: zxcvbn thinks the earlier ones guessed sooner.
  const auto at = context.email.rfind('@');
  add_words(words, context.email.substr(0, at));
  add_words(words, context.full_name);
  add_words(words, context.service_name);
  add_word(words, context.email);
  if (at != std::string_view::npos) add_words(words, context.email.substr(at + 1));
  return words;
}

PasswordStrength estimate_strength(const Secret& prepared, const std::vector<std::string>& words) {
  const auto as_typed = estimate(prepared.bytes(), words);
  const Secret bare_password = without_punctuation(prepared);
  if (words.empty() || bare_password.size() == prepared.size()) return as_typed;
  // `alice_smith-2026!!` hides the name behind punctuation that an attacker's rules put in as well. Only when
  // a context word comes to light so: punctuation makes other passwords really harder.
  const auto bare = estimate(bare_password.bytes(), words);
  const bool is_hidden = bare.weak_part == WeakPart::context && bare.guesses_log10 < as_typed.guesses_log10;
  return is_hidden ? bare : as_typed;
}

}  // namespace keyward::domain
