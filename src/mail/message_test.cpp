// Vectors of RFC 2045 and 2047, and what must never come out. tests/e2e/test_mail.py reads whole mails with
// another program's parser.
#include "mail/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace keyward::mail {
namespace {

using testing::HasSubstr;
using testing::Not;

MessageParts parts() {
  return {.from = {.name = "Keyward", .address = "no-reply@example.com"},
          .to = "ada@example.com",
          .subject = "Hello",
          .text = "Hello,\n\nthis is it.\n",
          .html = "<p>Hello</p>\n",
          .locale = "en",
          .message_id = "0190-1@example.com",
          .boundary = "keyward-0190-1",
          .date = Time{seconds{1'800'014'400}}};
}

std::string made(const MessageParts& given) {
  auto message = compose(given);
  return message ? *message : "refused: " + message.error().message;
}

std::vector<std::string> lines(const std::string& message) {
  std::vector<std::string> all;
  std::size_t at = 0;
  for (auto end = message.find("\r\n"); end != std::string::npos; end = message.find("\r\n", at)) {
    all.push_back(message.substr(at, end - at));
    at = end + 2;
  }
  return all;
}

/// The names of the header's fields, in lower case and in order.
std::vector<std::string> fields(const std::string& message) {
  std::vector<std::string> names;
  for (const auto& line : lines(message)) {
    if (line.empty()) break;
    if (line[0] == ' ' || line[0] == '\t') continue;
    std::string name = line.substr(0, line.find(':'));
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

const std::vector<std::string> all_fields{
    "auto-submitted", "content-language", "content-type", "date", "from",
    "message-id",     "mime-version",     "subject",      "to"};

TEST(Message, every_kind_of_line_end_is_one) {
  auto given = parts();
  given.text = "a\r\nb\rc" + std::string(60, '\r') + "d\n";
  const auto message = made(given);
  EXPECT_THAT(message, HasSubstr("\r\na\r\nb\r\nc\r\n"));
  for (const auto& line : lines(message)) EXPECT_LE(line.size(), 76U) << line;
}

TEST(Message, has_its_fields_once_and_two_parts) {
  const auto message = made(parts());
  EXPECT_EQ(fields(message), all_fields);
  EXPECT_THAT(message, HasSubstr("\r\nMessage-Id: <0190-1@example.com>\r\n"));
  EXPECT_THAT(message, HasSubstr("Date: Fri, 15 Jan 2027 12:00:00 +0000\r\n"));
  EXPECT_THAT(message, HasSubstr("From: Keyward <no-reply@example.com>\r\n"));
  EXPECT_THAT(message, HasSubstr("To: ada@example.com\r\n"));
  EXPECT_THAT(message, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(message, HasSubstr("Content-Type: multipart/alternative; boundary=\"=_keyward-0190-1\"\r\n"));
  const auto plain = message.find("Content-Type: text/plain; charset=utf-8\r\n");
  const auto html = message.find("Content-Type: text/html; charset=utf-8\r\n");
  ASSERT_NE(plain, std::string::npos);
  ASSERT_NE(html, std::string::npos);
  EXPECT_LT(plain, html);  // RFC 2046 §5.1.4: the best comes last
  EXPECT_THAT(message, HasSubstr("\r\n--=_keyward-0190-1--\r\n"));
}

TEST(Message, the_same_mail_is_the_same_bytes) { EXPECT_EQ(made(parts()), made(parts())); }

TEST(Message, is_ascii_with_crlf_and_short_lines) {
  auto given = parts();
  given.from.name = "Größe & Söhne";
  given.subject = "Ein sehr langer Betreff mit Ümläuten, der über eine Zeile hinausgeht, 日本語";
  given.text = std::string(3000, 'y') + "\nÜber\r\n.\r\nlast \t\n" + std::string(500, ' ');
  given.html = "<p>日本語</p>";
  const auto message = made(given);
  EXPECT_TRUE(std::ranges::all_of(message, [](char c) {
    return static_cast<unsigned char>(c) < 0x7f && (c >= ' ' || c == '\r' || c == '\n' || c == '\t');
  }));
  for (std::size_t i = 0; i < message.size(); ++i) {
    if (message[i] == '\n') {
      EXPECT_EQ(message[i - 1], '\r') << i;
    }
    if (message[i] == '\r') {
      EXPECT_EQ(message[i + 1], '\n') << i;
    }
  }
  for (const auto& line : lines(message)) EXPECT_LE(line.size(), 78) << line;
  EXPECT_EQ(fields(message), all_fields);
}

// RFC 2047 §2 and §6.2 by way of quoted-printable or base64: the words come out as they went in.
TEST(Message, words_that_are_not_ascii_are_encoded_words) {
  auto given = parts();
  given.subject = "Bestätigen Sie";
  EXPECT_THAT(made(given), HasSubstr("Subject: =?"));
  EXPECT_THAT(made(given), Not(HasSubstr("ä")));
  given.subject = "Plain words";
  EXPECT_THAT(made(given), HasSubstr("Subject: Plain words\r\n"));
  // What looks like an encoded word is encoded itself, so that nobody decodes it.
  given.subject = "=?utf-8?q?fake?=";
  EXPECT_THAT(made(given), Not(HasSubstr("Subject: =?utf-8?q?fake?=\r\n")));
}

// RFC 2045 §6.7: "=" and what is not ASCII are escaped.
TEST(Message, bodies_are_quoted_printable) {
  auto given = parts();
  given.text = "1=1 é\n";
  const auto message = made(given);
  EXPECT_THAT(message, HasSubstr("Content-Transfer-Encoding: quoted-printable\r\n"));
  EXPECT_THAT(message, HasSubstr("1=3D1 =C3=A9\r\n"));
}

TEST(Message, a_display_name_with_specials_is_quoted) {
  auto given = parts();
  given.from.name = "Example, Inc.";
  EXPECT_THAT(made(given), HasSubstr("From: \"Example, Inc.\" <no-reply@example.com>\r\n"));
}

TEST(Message, a_header_cannot_be_injected) {
  const std::vector<std::string> naughty{"x\r\nBcc: eve@example.com",
                                         "x\nBcc: eve@example.com",
                                         "x\rBcc: eve",
                                         std::string{"x\0y", 3},
                                         "x\vy",
                                         "x\x7f",
                                         "x\u0085y",
                                         "x\u2028y",
                                         "\xff\xfe"};
  const std::array<std::string MessageParts::*, 5> texts{&MessageParts::subject, &MessageParts::to,
                                                         &MessageParts::locale, &MessageParts::message_id,
                                                         &MessageParts::boundary};
  for (const auto& text : naughty) {
    for (const auto member : texts) {
      auto given = parts();
      given.*member = text;
      EXPECT_FALSE(compose(given));
    }
    auto given = parts();
    given.from.name = text;
    EXPECT_FALSE(compose(given));
    given = parts();
    given.from.address = text;
    EXPECT_FALSE(compose(given));
  }
  // What would be a second address, or leave the quotes of the boundary.
  for (const auto* text : {"a@example.com, b@example.com", "a@example.com>", "<a@example.com",
                           "a b@example.com", "", "a@example.com;", "\"a\"@example.com"}) {
    auto given = parts();
    given.to = text;
    EXPECT_FALSE(compose(given)) << text;
  }
  auto given = parts();
  given.boundary = "x\"; y=\"";
  EXPECT_FALSE(compose(given));
  given = parts();
  given.subject = std::string(1000, 'x');
  EXPECT_FALSE(compose(given));
}

TEST(Message, a_body_cannot_end_its_part_or_begin_a_header) {
  auto given = parts();
  given.text = "\r\n--=_keyward-0190-1--\r\nBcc: eve@example.com\r\n\r\n.\r\nQUIT\r\n";
  const auto message = made(given);
  EXPECT_EQ(fields(message), all_fields);
  // The boundary stands where it belongs: before each part and at the end.
  std::size_t count = 0;
  for (const auto& line : lines(message)) count += line.starts_with("--=_keyward-0190-1") ? 1 : 0;
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace keyward::mail
