#include "app/doctor/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/doctor/data_checks.hpp"
#include "app/doctor/network_checks.hpp"
#include "app/doctor/settings_checks.hpp"

namespace keyward::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 25}};

auto finding(Severity severity, const std::string& words) {
  return AllOf(Field("severity", &Finding::severity, severity),
               Field("what", &Finding::what, HasSubstr(words)));
}

Config config_of(std::vector<std::pair<std::string, std::string>> environment) {
  return load_config({.environment = std::move(environment)}).value();
}

storage::ServerFacts good_server() {
  return {.version = "15.8",
          .in_recovery = "false",
          .fsync = "on",
          .full_page_writes = "on",
          .synchronous_commit = "on",
          .over_tls = "true",
          .over_network = "true",
          .now = now};
}

TEST(Doctor, a_server_of_postgresql_is_judged_by_what_it_says) {
  EXPECT_THAT(judge_server(good_server()), ElementsAre(finding(Severity::ok, "15.8")));
  auto facts = good_server();
  facts.in_recovery = "true";
  EXPECT_THAT(judge_server(facts), ElementsAre(finding(Severity::error, "standby")));
  facts = good_server();
  facts.fsync = facts.full_page_writes = facts.synchronous_commit = "off";
  EXPECT_THAT(judge_server(facts),
              ElementsAre(finding(Severity::error, "fsync"), finding(Severity::error, "full_page_writes"),
                          finding(Severity::error, "synchronous_commit")));
  facts = good_server();
  facts.over_tls = "false";
  EXPECT_THAT(judge_server(facts), ElementsAre(finding(Severity::warning, "not encrypted")));
  facts.over_network = "false";  // a socket of this machine
  EXPECT_THAT(judge_server(facts), ElementsAre(finding(Severity::ok, "")));
}

TEST(Doctor, clocks_that_are_apart_are_told_by_how_much) {
  using std::chrono::seconds;
  EXPECT_THAT(judge_clocks("the database's", now, {now, now}), ElementsAre(finding(Severity::ok, "agree")));
  EXPECT_THAT(judge_clocks("the database's", now + seconds{30}, {now, now + seconds{60}}),
              ElementsAre(finding(Severity::ok, "agree")));  // it took a minute to answer
  EXPECT_THAT(judge_clocks("the database's", now - seconds{30}, {now, now + seconds{1}}),
              ElementsAre(finding(Severity::warning, "30 s apart")));
  EXPECT_THAT(judge_clocks("the database's", now + seconds{3600}, {now - seconds{1}, now}),
              ElementsAre(finding(Severity::error, "3600 s apart")));
}

TEST(Doctor, L2_what_other_machines_say_moves_no_cursor) {
  EXPECT_EQ(to_printable("250 \x1b[2J\x9b \"C:\\x\"\u202e\r\n"),
            "250 \\u001b[2J\\ufffd \"C:\\x\"\\u202e\\u000d\\u000a");
  EXPECT_EQ(to_printable(""), "");
  EXPECT_EQ(cut_foreign(std::string(80, 'a')), std::string(80, 'a'));
  EXPECT_EQ(cut_foreign(std::string(81, 'a')), std::string(80, 'a') + "…");
  EXPECT_EQ(cut_foreign("渡" + std::string(90, 'a')), "渡" + std::string(79, 'a') + "…");
  EXPECT_EQ(cut_foreign(std::string(400, '\x80')), std::string(320, '\x80') + "…");
}

TEST(Doctor, a_key_is_judged_by_its_age) {
  const auto config = config_of({});
  EXPECT_THAT(judge_keys({}, config, now), ElementsAre(finding(Severity::note, "no signing key")));
  domain::SigningKeyRow key{.id = "a", .algorithm = "ES256", .created_at = now, .activates_at = now};
  EXPECT_THAT(judge_keys({key}, config, now), ElementsAre(finding(Severity::ok, "0 days")));
  key.activates_at = now - std::chrono::days{91};
  EXPECT_THAT(judge_keys({key}, config, now), ElementsAre(finding(Severity::ok, "91 days")));
  key.activates_at = now - std::chrono::days{92};
  EXPECT_THAT(judge_keys({key}, config, now), ElementsAre(finding(Severity::warning, "92 days old")));
  key.activates_at = now;
  key.algorithm = "RS256";
  EXPECT_THAT(judge_keys({key}, config, now), ElementsAre(finding(Severity::note, "RS256")));
}

TEST(Doctor, admins_who_do_not_come_are_named) {
  EXPECT_THAT(judge_admins({}, now), ElementsAre(finding(Severity::warning, "no admin")));
  domain::Account active{.created_at = now - std::chrono::days{400}, .last_login_at = now};
  active.id.bytes[0] = 1;
  domain::Account idle = active;
  idle.id.bytes[0] = 2;
  idle.last_login_at = now - std::chrono::days{91};
  domain::Account disabled = idle;
  disabled.disabled = true;
  EXPECT_THAT(judge_admins({active}, now), ElementsAre(finding(Severity::ok, "1")));
  EXPECT_THAT(judge_admins({active, idle, disabled}, now),
              ElementsAre(finding(Severity::warning,
                                  "1 of 2 admins did not log in for 90 days: " + idle.id.to_string())));
  EXPECT_THAT(judge_admins({disabled}, now), ElementsAre(finding(Severity::warning, "no admin")));
  const std::vector<domain::Account> many(12, idle);
  EXPECT_THAT(judge_admins(many, now), ElementsAre(finding(Severity::warning, "…")));
}

TEST(Doctor, weak_settings_are_named) {
  EXPECT_THAT(check_weak_settings(config_of({})), ElementsAre(finding(Severity::ok, "")));
  EXPECT_THAT(
      check_weak_settings(config_of({{"KEYWARD_LIMITS_ENABLED", "false"},
                                     {"KEYWARD_PASSWORDS_MIN_STRENGTH", "1"},
                                     {"KEYWARD_TOKENS_ACCESS_TOKEN_LIFETIME_S", "3600"},
                                     {"KEYWARD_AUDIT_EMAIL", "plain"},
                                     {"KEYWARD_REGISTRATION_VERIFICATION", "off"},
                                     {"KEYWARD_SERVER_MANAGEMENT_LISTEN", "0.0.0.0:9090"},
                                     {"KEYWARD_LOG_LEVEL", "debug"}})),
      UnorderedElementsAre(finding(Severity::warning, "limits.enabled"),
                           finding(Severity::warning, "min_strength"), finding(Severity::note, "3600 s"),
                           finding(Severity::warning, "audit.email"), finding(Severity::note, "verification"),
                           finding(Severity::note, "0.0.0.0:9090"), finding(Severity::note, "debug")));
  EXPECT_THAT(check_weak_settings(config_of({{"KEYWARD_SERVER_PUBLIC_URL", "https://id.example.com"},
                                             {"KEYWARD_LIMITS_ENABLED", "false"},
                                             {"KEYWARD_TLS_DEVELOPMENT", "true"},
                                             {"KEYWARD_MAIL_SMTP_URL", "smtp://mail.example.com"},
                                             {"KEYWARD_MAIL_FROM", "a@example.com"},
                                             {"KEYWARD_MAIL_ALLOW_CLEAR_TEXT", "true"}})),
              UnorderedElementsAre(finding(Severity::error, "limits.enabled"),
                                   finding(Severity::error, "tls.development"),
                                   finding(Severity::warning, "allow_clear_text")));
}

TEST(Doctor, A4_a_proxy_that_is_not_listed_is_found) {
  const std::pair<std::string, std::string> https{"KEYWARD_SERVER_PUBLIC_URL", "https://id.example.com"};
  EXPECT_THAT(check_proxy_trust(config_of({})), ElementsAre(finding(Severity::ok, "no proxy")));
  EXPECT_THAT(check_proxy_trust(config_of({https})),
              ElementsAre(finding(Severity::warning, "server.trusted_proxies is empty")));
  EXPECT_THAT(check_proxy_trust(config_of({https, {"KEYWARD_SERVER_TRUSTED_PROXIES", "127.0.0.1"}})),
              ElementsAre(finding(Severity::ok, "127.0.0.1")));
  EXPECT_THAT(check_proxy_trust(config_of({https,
                                           {"KEYWARD_SERVER_TRUSTED_PROXIES", "10.0.0.1"},
                                           {"KEYWARD_SERVER_LISTEN", "0.0.0.0:8080"}})),
              ElementsAre(finding(Severity::note, "past the proxy")));
  EXPECT_THAT(check_proxy_trust(config_of({{"KEYWARD_SERVER_TRUSTED_PROXIES", "10.0.0.1"}})),
              ElementsAre(finding(Severity::note, "reached directly")));
}

TEST(Doctor, a_date_of_http_is_read) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), from_unix_s(784111777));
  for (const auto* const bad :
       {"", "yesterday", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, x"}) {
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
}

}  // namespace
}  // namespace keyward::app
