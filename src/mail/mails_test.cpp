#include "mail/mails.hpp"

#include <gtest/gtest.h>

#include <set>

#include "mail/mailbox.hpp"
#include "mail/outbox.hpp"
#include "mail/retry.hpp"
#include "mail/smtp_reply.hpp"
#include "mail/smtp_url.hpp"

namespace keyward::mail {
namespace {

constexpr Time noon{seconds{1'800'014'400}};  // 2027-01-15T12:00:00Z

TEST(Mails, every_kind_has_a_name_and_its_sample_has_every_variable) {
  std::set<std::string_view> names;
  for (const auto kind : all_mail_kinds) {
    names.insert(to_string(kind));
    EXPECT_EQ(parse_mail_kind(to_string(kind)), kind);
    const auto mail = sample(kind, {}, "https://id.example.com", noon);
    EXPECT_EQ(mail.kind, kind);
    std::set<std::string_view> given;
    for (const auto& [name, value] : mail.variables) given.insert(name);
    const auto wanted = variables_of(kind);
    EXPECT_EQ(given, std::set(wanted.begin(), wanted.end())) << to_string(kind);
  }
  EXPECT_EQ(names.size(), all_mail_kinds.size());
  EXPECT_FALSE(parse_mail_kind("../verify_email"));
}

TEST(Mails, a_name_that_is_more_than_a_name_is_no_greeting) {
  EXPECT_EQ(to_greeting("Ada Lovelace"), "Ada Lovelace");
  EXPECT_EQ(to_greeting("Dr. Ünal O'Neil-García Jr."), "Dr. Ünal O'Neil-García Jr.");
  EXPECT_EQ(to_greeting(std::nullopt), "");
  for (const auto* name :
       {"win.example", "http://win.example", "see win.example now", "a@b", "<b>Ada</b>", "Ada\r\nBcc: x",
        "Ada\u2028x", "www.win.example/prize", "[Ada](win)", "win\u3002example", "win\u00b7example",
        "Ada\u202eadA", "Ada\u200b", "call 0900 1234", "you have won a prize", "Ada!", "bit\u2024ly", "..."})
    EXPECT_EQ(to_greeting(name), "") << name;
  EXPECT_EQ(to_greeting(std::string(61, 'a')), "");
}

TEST(Mails, times_are_in_words) { EXPECT_EQ(to_words(noon + seconds{59}), "2027-01-15 12:00 UTC"); }

TEST(Mails, a_value_is_one_line) {
  EXPECT_EQ(to_value("Größe & \"x\""), "Größe & \"x\"");
  EXPECT_EQ(to_value("a\r\nBcc: b\tc\x7f"
                     "d"),
            "a  Bcc: b c d");
  EXPECT_EQ(to_value("a\u0085b\u2028c\u2029d"), "a b c d");
  EXPECT_EQ(to_value(std::string(5000, 'x')).size(), 2048);
  EXPECT_EQ(to_value("\xff"), "\ufffd");
  EXPECT_EQ(to_value("a\u202eb\u200bc"), "abc");
}

TEST(Retry, waits_twice_as_long_each_time_up_to_a_quarter_of_an_hour) {
  const std::array<int, 12> expected_s{2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
  for (std::size_t i = 0; i < expected_s.size(); ++i)
    EXPECT_EQ(retry_delay(static_cast<std::int64_t>(i) + 1, 0.5), seconds{expected_s[i]}) << i;
  EXPECT_EQ(retry_delay(1, 0.0), std::chrono::milliseconds{1500});
  EXPECT_LT(retry_delay(1, 0.9999), std::chrono::milliseconds{2500});
  EXPECT_EQ(retry_delay(0, 0.5), seconds{2});
  EXPECT_EQ(retry_delay(1'000'000, 0.5), seconds{900});
}

TEST(Retry, what_may_have_been_delivered_waits_as_long_as_it_is_old) {
  EXPECT_EQ(unsure_retry_delay(seconds{0}), seconds{1200});
  EXPECT_EQ(unsure_retry_delay(seconds{7200}), seconds{7200});
}

TEST(SmtpReply, only_the_recipient_or_the_content_can_be_refused) {
  using enum Delivery::Verdict;
  EXPECT_EQ(judge_reply("RCPT", "550 5.1.1 nobody"), refused);
  EXPECT_EQ(judge_reply("RCPT", "550 nobody"), refused);
  EXPECT_EQ(judge_reply("DATA", "554 5.7.1 spam"), refused);
  EXPECT_EQ(judge_reply("DATA", "552 5.3.4 too big"), refused);
  for (const auto& [verb, reply] : {std::pair{"RCPT", "450 4.2.0 later"},
                                    {"RCPT", "530 5.7.0 Authentication required"},
                                    {"DATA", "530 authentication required"},
                                    {"RCPT", "535 5.7.8 bad credentials"},
                                    {"RCPT", "550 5.7.1 relaying denied"},
                                    {"RCPT", "554 5.7.23 SPF"},
                                    {"MAIL", "550 5.1.7 no such sender"},
                                    {"AUTH", "535 5.7.8 no"},
                                    {"EHLO", "550 no"},
                                    {"", "554 go away"},
                                    {"DATA", ""},
                                    {"DATA", "354 go on"}})
    EXPECT_EQ(judge_reply(verb, reply), try_again) << verb << reply;
}

TEST(SmtpReply, a_reason_shows_nobody_and_is_one_line) {
  const auto shown = [](std::string_view text) { return to_reason(text, "Ada.Lovelace@mail.example.com"); };
  EXPECT_EQ(shown("550 <ADA.LOVELACE@mail.example.com>: no"), "550 <…>: no");
  EXPECT_EQ(shown("550 user ada.lovelace unknown at MAIL.example.com."), "550 user … unknown at ….");
  EXPECT_EQ(shown("no xada.lovelacex"), "no x…x");
  EXPECT_EQ(shown("a\x1b[31mb\u009bc\u202ed\r\ne"), "a [31mb cd  e");
  EXPECT_EQ(to_reason("no such user a as that", "a@b.example"), "no such user … as that");
  EXPECT_EQ(to_reason("x", ""), "x");
  EXPECT_EQ(shown(std::string(290, 'x') + " ada.lovelace").find("ada"), std::string::npos);
  EXPECT_LE(shown(std::string(5000, 'x')).size(), 300);
}

TEST(SmtpUrl, scheme_host_and_port) {
  using enum SmtpUrl::Protection;
  const auto full = parse_smtp_url("smtp+starttls://mail.example.com:2525");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->protection, starttls);
  EXPECT_EQ(full->host, "mail.example.com");
  EXPECT_EQ(full->port, 2525);
  EXPECT_EQ(parse_smtp_url("smtps://mail.example.com")->port, 465);
  EXPECT_EQ(parse_smtp_url("smtp+starttls://mail.example.com")->port, 587);
  EXPECT_EQ(parse_smtp_url("smtp://[::1]:25/")->host, "[::1]");
  EXPECT_TRUE(is_this_machine(*parse_smtp_url("smtp://[::1]")));
  EXPECT_TRUE(is_this_machine(*parse_smtp_url("smtp://127.0.0.2:25")));
  EXPECT_FALSE(is_this_machine(*parse_smtp_url("smtp://127.0.0.1.example.com")));
  EXPECT_FALSE(is_this_machine(*parse_smtp_url("smtp://localhost.example.com")));
}

TEST(SmtpUrl, nothing_else_is_one) {
  for (const auto* text :
       {"", "smtp", "smtps://", "http://mail.example.com", "smtps://me:pw@mail.example.com", "smtps://h/x",
        "smtps://h?x", "smtps://h:0", "smtps://h:65536", "smtps://h:", "smtps://h:2 5", "smtps://h\r\n",
        "SMTPS://h", "smtps://-x", "smtps://[::1", "smtps://[]", "smtps://h#f", "smtps:///h"})
    EXPECT_FALSE(parse_smtp_url(text)) << text;
}

TEST(Mailbox, address_or_name_and_address) {
  const auto plain = parse_mailbox(" No-Reply@Bücher.example ");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->address, "No-Reply@xn--bcher-kva.example");
  EXPECT_EQ(plain->name, "");
  EXPECT_EQ(domain_of(plain->address), "xn--bcher-kva.example");
  const auto named = parse_mailbox("\"Größe, Söhne\" <a@example.com>");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->name, "Größe, Söhne");
  for (const auto* text : {"", "a", "a@b", "X <a@example.com", "X <a@example.com> y", "X <<a@example.com>",
                           "a@example.com, b@example.com", "X\r\nBcc: y <a@example.com>", "<>"})
    EXPECT_FALSE(parse_mailbox(text)) << text;
}

}  // namespace
}  // namespace keyward::mail
