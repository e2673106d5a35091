#include "mail/smtp_reply.hpp"

#include <algorithm>
#include <array>

#include "base/limits.hpp"
#include "mail/mailbox.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

constexpr std::string_view struck_out = "…";

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// A letter or digit, also a part of one beyond ASCII: where a word does not end.
bool is_of_word(char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

/// Replaces everything that looks like an address: servers repeat them in cases and forms of their own.
void strike_out_addresses(std::string& text) {
  constexpr std::string_view around = " <>()[]\"':;,";
  for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
    const auto before = text.find_last_of(around, at);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    const auto end = std::min(text.find_first_of(around, at), text.size());
    text.replace(begin, end - begin, struck_out);
  }
}

/// Replaces the value, in whatever case; a short one only where it is a word of its own.
void strike_out_value(std::string& text, std::string_view value) {
  constexpr std::size_t short_max_bytes = 3;
  if (value.empty()) return;
  const auto same = [](char a, char b) { return to_lower(a) == to_lower(b); };
  for (std::size_t at = 0; at < text.size();) {
    const auto found = std::ranges::search(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                                           value.begin(), value.end(), same);
    if (found.empty()) return;
    const auto begin = static_cast<std::size_t>(found.begin() - text.begin());
    const auto end = begin + value.size();
    const bool goes = value.size() > short_max_bytes || ((begin == 0 || !is_of_word(text[begin - 1])) &&
                                                         (end == text.size() || !is_of_word(text[end])));
    if (goes) text.replace(begin, value.size(), struck_out);
    at = goes ? begin + struck_out.size() : begin + 1;
  }
}

}  // namespace

Delivery::Verdict judge_reply(std::string_view verb, std::string_view reply) {
  using enum Delivery::Verdict;
  // RFC 5321 §4.2.1: 5yz is for good. To another command it is about us, and may be mended.
  const bool about_this_mail = verb == "RCPT" || verb == "DATA";
  if (!about_this_mail || !reply.starts_with('5')) return try_again;
  // RFC 4954 §6: a login is missing or was not good enough.
  constexpr std::array<std::string_view, 4> about_login{"530", "534", "535", "538"};
  if (std::ranges::find(about_login, reply.substr(0, 3)) != about_login.end()) return try_again;
  // RFC 3463 §3.8: of a policy, which at the recipient is mostly that we may not send through this server.
  const bool of_policy = reply.size() > 4 && reply.substr(4).starts_with("5.7.");
  return verb == "RCPT" && of_policy ? try_again : refused;
}

std::string to_reason(std::string_view text, std::string_view recipient) {
  // Far longer than what is kept, so that what is struck out is whole.
  std::string reason = text::to_one_line(text::to_storable_text(text, 4 * limits::mail_error_max_bytes));
  strike_out_addresses(reason);
  strike_out_value(reason, recipient.substr(0, recipient.rfind('@')));
  strike_out_value(reason, domain_of(recipient));
  return text::to_storable_text(reason, limits::mail_error_max_bytes);
}

}  // namespace keyward::mail
