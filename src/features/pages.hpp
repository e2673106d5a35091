// Pages: the small pages behind the links in mails, as HTML that needs no script.
//
// A page has one file in the folder of each language (features/pages/en, de): its first line is `Title: …`,
// then an empty line, then what stands in the body; layout.html is around it and has {{{content}}} once. What
// can be wrong is told by sentences.txt, one `name: sentence` a line. All are part of the binary and checked
// at start.
//
// Threats: markup in what a link or a form brings (every value is escaped, and a token is shown again only
// when it looks like one of ours) · script of anybody's (none is allowed: default-src 'none') · framing and
// clickjacking (frame-ancestors 'none') · a form that sends elsewhere (form-action 'self') · a token in a
// Referer, a cache or somebody's server (no-referrer, no-store, nothing is loaded from another origin).
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "text/template_text.hpp"
#include "web/message.hpp"

namespace keyward::features {

/// In the order of their names in pages.cpp.
enum class Page : std::uint8_t {
  forgot_password,
  reset_password,
  verify_email,
  confirm_email_change,
  undo_email_change,
  done,
};
inline constexpr std::size_t page_count = static_cast<std::size_t>(Page::done) + 1;
std::string_view to_string(Page page);

/// The lines of sentences.txt.
enum class Sentence : std::uint8_t {
  incomplete,
  not_valid,
  code_not_valid,
  code_malformed,
  email_malformed,
  email_taken,
  password_missing,
  password_short,
  password_long,
  password_common,
  password_own,
  password_weak,
  too_many,
  busy,
};
inline constexpr std::size_t sentence_count = static_cast<std::size_t>(Sentence::busy) + 1;
std::string_view to_string(Sentence sentence);

struct PageSettings {
  std::string service_name;
  std::string locale;  // where the person asks for none that we have
  std::size_t password_min_code_points = 8;
};

class Pages {
 public:
  /// The error names file and line.
  static Result<Pages> load(PageSettings settings);

  /// `locale` as RequestedLocale has it. A variable that the page does not know has no effect.
  [[nodiscard]] web::Response show(Page page, std::string_view locale, text::Variables variables = {},
                                   unsigned status = 200) const;

  /// The page again, with what is wrong in its language: a bad field beside that field, a token that does not
  /// count instead of the form. `variables` are those that the form was made with.
  [[nodiscard]] web::Response refuse(Page page, std::string_view locale, text::Variables variables,
                                     const Error& error, const web::Client& client) const;

  /// For a link that has lost a part of its token.
  [[nodiscard]] web::Response refuse_incomplete(Page page, std::string_view locale) const;

  /// What all pages load; lives as long as the process.
  static std::string_view style();

  [[nodiscard]] std::string sentence(Sentence sentence, std::string_view locale,
                                     const text::Variables& variables = {}) const;

 private:
  struct Content {
    text::TemplateText title, body;
  };
  struct Language {
    text::TemplateText before, after;  // the layout's halves
    std::map<Page, Content> pages;
    std::map<Sentence, text::TemplateText> sentences;
  };
  using Languages = std::map<std::string, Language, std::less<>>;

  static Result<Language> parse_language(std::string_view locale);
  static Result<Content> parse_page(std::string_view locale, Page page);
  static Result<std::map<Sentence, text::TemplateText>> parse_sentences(std::string_view locale);
  [[nodiscard]] const Languages::value_type& find(std::string_view locale) const;
  void add_field_problem(text::Variables& variables, std::string_view locale, const FieldError& wrong) const;

  PageSettings settings_;
  Languages languages_;
};

/// Why a password is refused, from the words of the password policy.
Sentence sentence_of_password(std::string_view message);

}  // namespace keyward::features
