#include "text/template_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace keyward::text {
namespace {

using testing::StartsWith;

std::expected<TemplateText, std::string> parse(std::string_view text, Escaping escaping = Escaping::html) {
  return TemplateText::parse("en/x.html", 1, text, escaping, {"link", "name"});
}

std::string render(std::string_view text, const Variables& variables, Escaping escaping = Escaping::html) {
  const auto parsed = parse(text, escaping);
  return parsed ? parsed->render(variables) : parsed.error();
}

TEST(TemplateText, fills_in_and_escapes) {
  EXPECT_EQ(render("<a href=\"{{link}}\">{{ name }}</a>{{! not seen }}",
                   {{"link", "https://x/?a=1&b=\"2\""}, {"name", "<script>'x'</script>"}}),
            "<a href=\"https://x/?a=1&amp;b=&quot;2&quot;\">&lt;script&gt;&apos;x&apos;&lt;/script&gt;</a>");
  EXPECT_EQ(render("{{name}}", {{"name", "<&>"}}, Escaping::none), "<&>");
}

TEST(TemplateText, a_value_is_never_a_template) {
  EXPECT_EQ(render("{{name}}", {{"name", "{{link}}"}, {"link", "secret"}}), "{{link}}");
  EXPECT_EQ(render("{{#name}}{{name}}{{/name}}", {{"name", "{{#link}}x{{/link}}"}, {"link", "y"}}),
            "{{#link}}x{{/link}}");
}

TEST(TemplateText, sections_show_what_is_there) {
  const std::string_view text = "Hello{{#name}} {{name}}{{/name}}{{^name}} you{{/name}}";
  EXPECT_EQ(render(text, {{"name", "Ada"}}), "Hello Ada");
  EXPECT_EQ(render(text, {{"name", ""}}), "Hello you");
  EXPECT_EQ(render(text, {}), "Hello you");
}

TEST(TemplateText, errors_name_file_and_line) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"a\nb {{nmae}}", "en/x.html:2: unknown variable {{nmae}}; there are link, name"},
      {"\n\n{{name", "en/x.html:3: a {{ without its }}"},
      {"{{#name}}\n\n", "en/x.html:1: {{#name}} without its {{/name}}"},
      {"x\n{{/name}}", "en/x.html:2: {{/name}} ends no section that was begun last"},
      {"{{#name}}{{#link}}{{/name}}{{/link}}", "en/x.html:1: {{/name}} ends no section that was begun last"},
      {"<a href={{link}}>", "en/x.html:1: an attribute's value needs quotes"},
      {"{{{name}}}", "en/x.html:1: {{{ is not taken"},
      {"{{&name}}", "en/x.html:1: {{& is not taken"},
      {"{{> other}}", "en/x.html:1: {{> is not taken"},
      {"{{=<% %>=}}", "en/x.html:1: {{= is not taken"},
      {"{{}}", "en/x.html:1: unknown variable {{}}"},
      {"\xff", "en/x.html:1: is not UTF-8"},
  };
  for (const auto& [text, error] : wrong) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), StartsWith(error)) << text;
  }
}

}  // namespace
}  // namespace keyward::text
