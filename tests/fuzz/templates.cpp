// Templates of mails and pages (text/template_text): an operator's files, filled with what people typed.
//
// The first line is a value, the rest a template. Must hold: a template is refused with its file and line or
// can be rendered; no value brings markup into HTML; what is rendered is UTF-8.
#include "text/template_text.hpp"

#include "fuzz.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(templates) {
  using namespace text;
  static const std::set<std::string, std::less<>> known{"name", "url"};
  Input given{input};
  const std::string value{given.line()};
  const std::string_view source = given.text(2048);
  const Variables values{{"name", is_utf8(value) ? value : std::string{"Ann"}}};
  for (const auto escaping : {Escaping::none, Escaping::html}) {
    const auto made = TemplateText::parse("mail.txt", 3, source, escaping, known);
    if (!made) {
      must_hold(made.error().starts_with("mail.txt:") && is_utf8(made.error()),
                "a refusal names file and line");
      continue;
    }
    const std::string rendered = made->render(values);
    must_hold(is_utf8(rendered), "what is rendered is UTF-8");
    must_hold(made->render(values) == rendered, "and the same each time");
    if (escaping == Escaping::html) {
      const Variables hostile{{"name", "<i>\"'&"}, {"url", "<i>\"'&"}};
      const auto count = [](std::string_view text) { return std::ranges::count(text, '<'); };
      const Variables plain{{"name", "Ann"}, {"url", "Ann"}};
      must_hold(count(made->render(hostile)) == count(made->render(plain)), "no value brings markup");
    }
  }
}

}  // namespace keyward::fuzz
