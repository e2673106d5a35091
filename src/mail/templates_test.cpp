#include "mail/templates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "mail/composing.hpp"

namespace keyward::mail {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class TemplateFolder : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream{folder_ / name} << text;
  }
  std::string error() {
    const auto loaded = Templates::load(folder_);
    return loaded ? "" : loaded.error().message;
  }
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("templates_test." + std::to_string(::getpid()));
};

TEST_F(TemplateFolder, ours_are_good_in_every_language) {
  const auto templates = Templates::load();
  ASSERT_TRUE(templates) << templates.error().message;
  EXPECT_EQ(templates->locales(), (std::vector<std::string>{"de", "en"}));
  for (const auto kind : all_mail_kinds) {
    auto variables = sample(kind, {}, "https://id.example.com", Time{}).variables;
    for (const auto name : common_variables()) variables.emplace(name, "<" + std::string{name} + ">");
    for (const auto& locale : templates->locales()) {
      const auto made = templates->render(kind, locale, variables);
      // Every value is in the text and, escaped, in the twin: nobody is told less.
      for (const auto name : variables_of(kind)) {
        const auto& value = variables.find(name)->second;
        EXPECT_THAT(made.text, HasSubstr(value)) << locale << to_string(kind);
        EXPECT_THAT(made.html, HasSubstr(value)) << locale << to_string(kind);
      }
      EXPECT_THAT(made.html, HasSubstr("&lt;recipient&gt;"));
      EXPECT_THAT(made.html, HasSubstr("<html lang=\"" + locale + "\">"));
      EXPECT_EQ(made.subject.find('\n'), std::string::npos);
    }
  }
}

TEST_F(TemplateFolder, a_locale_falls_back_to_its_language_and_then_to_english) {
  const auto templates = Templates::load().value();
  for (const auto& [asked, found] :
       {std::pair{"de", "de"}, {"de-AT", "de"}, {"de-Latn-AT", "de"}, {"fr", "en"}, {"", "en"}, {"-", "en"}})
    EXPECT_EQ(templates.render(MailKind::test, asked, {}).locale, found) << asked;
}

TEST_F(TemplateFolder, a_folder_is_laid_over_ours) {
  write("en/test.txt", "Subject: Hi {{service}}\r\n\r\nAt {{time}}\r\n");
  write("en/test.html", "<p>{{time}}</p>");
  write("fr/test.txt", "Subject: Essai\n\nA {{time}}\n");
  write("fr/test.html", "<p>{{time}}</p>");
  write("en/layout.html", "[{{{content}}}]");
  write("en/.test.txt.swp", "an editor's");
  const auto templates = Templates::load(folder_);
  ASSERT_TRUE(templates) << templates.error().message;
  const auto made = templates->render(MailKind::test, "en", {{"service", "S"}, {"time", "T"}});
  EXPECT_EQ(made.subject, "Hi S");
  EXPECT_EQ(made.text, "At T\n");
  EXPECT_EQ(made.html, "[<p>T</p>]");
  EXPECT_EQ(templates->render(MailKind::test, "fr", {}).subject, "Essai");
  EXPECT_THAT(templates->render(MailKind::verify_email, "fr", {}).subject, StartsWith("Confirm"));
}

TEST_F(TemplateFolder, a_subject_is_never_too_long_for_a_header) {
  write("en/verify_email.txt", "Subject: {{link}} {{code}} {{name}} {{recipient}} {{service}}\n\n{{link}}\n");
  write("en/verify_email.html", "x");
  Variables variables;
  for (const auto* name : {"link", "code", "name", "recipient", "service"})
    variables.emplace(name, std::string(1999, 'x') + "ü");
  const auto made = Templates::load(folder_)->render(MailKind::verify_email, "en", variables);
  EXPECT_LE(made.subject.size(), 900);
  EXPECT_THAT(made.subject, StartsWith(std::string(200, 'x') + " "));
  EXPECT_EQ(made.text, variables["link"] + "\n");
}

TEST_F(TemplateFolder, what_cannot_stand_in_a_header_is_told_for_every_language) {
  const SenderSettings settings{.from = {.name = "", .address = "no-reply@example.com"},
                                .service_name = "Keyward",
                                .public_url = "https://id.example.com"};
  const auto checked = [&] {
    const auto good = check_samples(settings, Templates::load(folder_).value(), Time{});
    return good ? "" : good.error().message;
  };
  EXPECT_EQ(checked(), "");
  write("fr/test.txt", "Subject: a\tb\n\nx");
  write("fr/test.html", "x");
  EXPECT_THAT(checked(), StartsWith("fr/test: "));
}

TEST_F(TemplateFolder, what_is_wrong_in_a_folder_is_told) {
  write("en/test.txt", "Subject: x\n\n\nSent {{tiem}}");
  write("en/test.html", "x");
  EXPECT_THAT(error(), HasSubstr("en/test.txt:4: unknown variable {{tiem}}; there are "));
  write("en/test.txt", "Subject: {{link}}\n\nx");  // not a variable of this mail
  EXPECT_THAT(error(), HasSubstr("en/test.txt:1: unknown variable {{link}}"));
  write("en/test.txt", "Hello\n");
  EXPECT_THAT(error(), HasSubstr("en/test.txt:1: the first line is `Subject: …`"));
  write("en/test.txt", "Subject: x\n\nx");
  EXPECT_EQ(error(), "");
  write("en/layout.html", "no content");
  EXPECT_THAT(error(), HasSubstr("en/layout.html:1: a layout has {{{content}}} once"));
  write("en/layout.html", "{{{content}}} {{name}}");
  EXPECT_THAT(error(), HasSubstr("en/layout.html:1: unknown variable {{name}}"));
  write("en/layout.html", "{{{content}}}");
  write("fr/test.txt", "Subject: x\n\nx");
  EXPECT_THAT(error(), HasSubstr("its twin (.html) is missing"));
  write("fr/test.html", "x");
  EXPECT_EQ(error(), "");
  write("en/verify_mail.txt", "Subject: x\n\nx");
  EXPECT_THAT(error(), HasSubstr("no mail has a template of this name"));
  std::filesystem::remove_all(folder_);
  EXPECT_THAT(error(), HasSubstr("is no folder"));
}

}  // namespace
}  // namespace keyward::mail
