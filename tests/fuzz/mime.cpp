// Mails as they are composed (mail/message): names, subjects and texts that people chose.
//
// Line by line: name, address, recipient, subject, language, then the text, and after a NUL the HTML. Must
// hold: the headers are ours and no other; every line ends with CRLF and is within RFC 5322's limit; the
// parts are the two that were given; the same mail composed again is the same bytes.
#include "mail/message.hpp"

#include <array>

#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

constexpr std::size_t line_max_bytes = 998;    // RFC 5322 §2.1.1
constexpr std::size_t line_wanted_bytes = 78;  // likewise; GMime's 76 are more where a space ends the line
constexpr std::array<std::string_view, 9> header_names{
    "From",         "To",          "Subject", "Date", "Message-Id", "Auto-Submitted", "Content-Language",
    "MIME-Version", "Content-Type"};

/// A line without its CRLF, taken off the front.
std::string_view take_line(std::string_view& left) {
  const auto end = left.find("\r\n");
  must_hold(end != std::string_view::npos, "every line ends with CRLF");
  const auto line = left.substr(0, end);
  must_hold(line.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos,
            "and holds no other line end");
  must_hold(line.size() <= line_max_bytes, "and is not too long");
  left.remove_prefix(end + 2);
  return line;
}

void check_headers(std::string_view& left) {
  std::vector<std::string_view> names;
  while (true) {
    const auto line = take_line(left);
    if (line.empty()) break;
    if (line.starts_with(' ') || line.starts_with('\t')) continue;  // folded
    names.push_back(line.substr(0, line.find(':')));
  }
  for (const std::string_view known : header_names) {
    const auto small = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    const auto is_it = [&](std::string_view name) {
      return std::ranges::equal(known, name, {}, small, small);
    };
    must_hold(std::ranges::count_if(names, is_it) == 1, "each of our headers is there once");
  }
  must_hold(names.size() == header_names.size(), "and no other");
}

void check_body(std::string_view left, const std::string& boundary) {
  std::size_t parts = 0;
  bool ended = false;
  while (!left.empty()) {
    const auto line = take_line(left);
    must_hold(line.size() <= line_wanted_bytes || line.starts_with("Content-"),
              "quoted-printable has short lines");
    if (line == "--=_" + boundary) ++parts;
    if (line == "--=_" + boundary + "--") ended = true;
  }
  must_hold(parts == 2 && ended, "a mail has its two parts");
}

}  // namespace

KEYWARD_FUZZ_TARGET(mime) {
  Input given{input};
  mail::MessageParts parts;
  parts.date = from_unix_s(1'764'000'000 + given.byte());
  parts.from.name = given.line();
  parts.from.address = given.line();
  parts.to = given.line();
  parts.subject = given.line();
  parts.locale = given.line();
  parts.message_id = "0193a5f0-0000-7000-8000-000000000001@id.example";
  parts.boundary = "0193a5f0-0000-7000-8000-000000000001";
  const std::string_view bodies = given.rest();
  const auto middle = bodies.find('\0');
  parts.text = bodies.substr(0, middle);
  parts.html = middle == std::string_view::npos ? std::string_view{} : bodies.substr(middle + 1);

  const auto checked = mail::check_parts(parts);
  const auto composed = mail::compose(parts);
  must_hold(checked || !composed, "what is refused is not composed");
  if (!composed) {
    must_hold(is_sentence(composed.error().message), "a refusal is a sentence");
    return;
  }
  std::string_view left = *composed;
  check_headers(left);
  check_body(left, parts.boundary);
  must_hold(mail::compose(parts).value() == *composed, "the same mail is the same bytes");
}

}  // namespace keyward::fuzz
