#include "features/pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/passwords/password_policy.hpp"
#include "embedded/pages.hpp"
#include "web/endpoint/test_call.hpp"

namespace keyward::features {
namespace {

using testing::HasSubstr;
using testing::Not;
using web::test::header_of;

const std::string token = "kw_rp_" + std::string(43, 'A');

Pages load(std::string locale = "en") {
  auto pages = Pages::load(
      {.service_name = "Größe & <Söhne>", .locale = std::move(locale), .password_min_code_points = 10});
  EXPECT_TRUE(pages) << pages.error().message;
  return std::move(*pages);
}

Error make_error(ErrorCode code, std::vector<FieldError> fields = {}, int retry_after_s = 0) {
  return {.code = code,
          .message = "English",
          .private_detail = {},
          .fields = std::move(fields),
          .retry_after_s = retry_after_s};
}

TEST(Pages, every_page_stands_in_every_language) {
  const auto pages = load();
  for (const std::string locale : {"en", "de"}) {
    for (std::size_t i = 0; i < page_count; ++i) {
      const auto made = pages.show(static_cast<Page>(i), locale, {{"token", token}, {"verify_email", "yes"}});
      EXPECT_EQ(made.status, 200U);
      EXPECT_EQ(made.content_type, "text/html; charset=utf-8");
      EXPECT_EQ(header_of(made, "Content-Language"), locale);
      EXPECT_EQ(header_of(made, "Vary"), "Accept-Language");
      EXPECT_THAT(made.body, HasSubstr("<html lang=\"" + locale + "\">"));
      EXPECT_THAT(made.body, HasSubstr("Größe &amp; &lt;Söhne&gt;</title>"));
      EXPECT_THAT(made.body, Not(HasSubstr("{{")));
      EXPECT_THAT(made.body, Not(HasSubstr("<title> ")));
      EXPECT_THAT(made.body, Not(HasSubstr("<script")));
      EXPECT_THAT(made.body, Not(HasSubstr("style=")));
    }
  }
}

TEST(Pages, S8_nothing_is_loaded_run_or_framed) {
  EXPECT_EQ(
      header_of(load().show(Page::forgot_password, ""), "Content-Security-Policy"),
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
}

TEST(Pages, the_language_is_the_asked_one_or_the_configured_or_english) {
  for (const auto& [asked, configured, found] : {std::tuple{"de", "en", "de"},
                                                 {"de-AT", "en", "de"},
                                                 {"", "de", "de"},
                                                 {"fr", "de-CH", "de"},
                                                 {"fr", "it", "en"},
                                                 {"", "", "en"}})
    EXPECT_EQ(header_of(load(configured).show(Page::done, asked), "Content-Language"), found)
        << asked << configured;
}

TEST(Pages, values_are_escaped_and_the_title_tells_of_an_error) {
  const auto pages = load();
  const auto made = pages.refuse(Page::forgot_password, "en", {{"email", "\"><b>{{service}}"}},
                                 make_error(ErrorCode::invalid_input, {{"email", "must be one"}}), {});
  EXPECT_EQ(made.status, 422U);
  EXPECT_THAT(made.body, HasSubstr("value=\"&quot;&gt;&lt;b&gt;{{service}}\""));
  EXPECT_THAT(made.body, HasSubstr("<title>Error: Forgot"));
  EXPECT_THAT(made.body, HasSubstr("aria-invalid=\"true\""));
  EXPECT_THAT(made.body, HasSubstr("role=\"alert\">Enter a whole email address"));
  EXPECT_THAT(pages.show(Page::forgot_password, "de").body, HasSubstr("<title>Passwort vergessen?"));
  EXPECT_THAT(
      pages.refuse(Page::forgot_password, "de", {}, make_error(ErrorCode::unavailable, {}, 2), {}).body,
      HasSubstr("<title>Fehler: Passwort"));
}

TEST(Pages, a_link_that_does_not_count_leaves_no_form_and_a_code_can_be_typed_again) {
  const auto pages = load();
  const auto error = make_error(ErrorCode::bad_request);
  const auto by_link = pages.refuse(Page::reset_password, "en", {{"token", token}}, error, {});
  EXPECT_EQ(by_link.status, 400U);
  EXPECT_THAT(by_link.body, Not(HasSubstr("<form")));
  EXPECT_THAT(by_link.body, HasSubstr("href=\"/account/forgot-password\""));
  const auto by_code =
      pages.refuse(Page::reset_password, "en", {{"transaction", "kw_tx_1"}, {"code", "AAAABBBB"}}, error, {});
  EXPECT_THAT(by_code.body, HasSubstr("value=\"kw_tx_1\""));
  EXPECT_THAT(by_code.body, HasSubstr("The code is not valid"));
  EXPECT_THAT(by_code.body, Not(HasSubstr("AAAABBBB")));
  EXPECT_THAT(pages.refuse_incomplete(Page::verify_email, "de").body, HasSubstr("nicht vollständig"));
}

TEST(Pages, refusals_for_a_while_say_how_long) {
  const auto made = load().refuse(Page::verify_email, "en", {{"token", token}},
                                  make_error(ErrorCode::too_many_requests, {}, 61), {});
  EXPECT_EQ(made.status, 429U);
  EXPECT_EQ(header_of(made, "Retry-After"), "61");
  EXPECT_THAT(made.body, HasSubstr("Try again in 2 min."));
  EXPECT_THAT(made.body, HasSubstr("<form"));
}

TEST(Pages, every_word_of_the_password_policy_has_its_sentence) {
  const auto sentence_for = [](std::string_view password) {
    const domain::PasswordContext context{
        .email = "ada.lovelace@example.com", .full_name = "Ada Lovelace", .service_name = {}};
    const auto checked = domain::blocking_check_new_password(Secret{password}, {}, context);
    return checked ? std::string{"good"}
                   : std::string{to_string(sentence_of_password(checked.error().fields.at(0).message))};
  };
  EXPECT_EQ(sentence_for("short"), "password_short");
  EXPECT_EQ(sentence_for(std::string(300, 'x')), "password_long");
  EXPECT_EQ(sentence_for("password"), "password_common");
  EXPECT_EQ(sentence_for("ada.lovelace1"), "password_own");
  EXPECT_EQ(sentence_for("monday2019"), "password_weak");
  EXPECT_EQ(sentence_for("violet orbit candle 94"), "good");
  EXPECT_EQ(to_string(sentence_of_password(
                domain::prepare_password(Secret{std::string(2000, 'x')}).error().fields.at(0).message)),
            "password_long");
}

}  // namespace
}  // namespace keyward::features
