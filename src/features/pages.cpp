#include "features/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "embedded/pages.hpp"
#include "web/problem.hpp"

namespace keyward::features {

namespace {

using text::Escaping;
using text::TemplateText;
using text::Variables;
using Names = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, page_count> page_names{
    "forgot_password", "reset_password", "verify_email", "confirm_email_change", "undo_email_change", "done"};

constexpr std::array<std::string_view, sentence_count> sentence_names{"incomplete",       "not_valid",
                                                                      "code_not_valid",   "code_malformed",
                                                                      "email_malformed",  "email_taken",
                                                                      "password_missing", "password_short",
                                                                      "password_long",    "password_common",
                                                                      "password_own",     "password_weak",
                                                                      "too_many",         "busy"};

constexpr std::string_view content_tag = "{{{content}}}";
constexpr std::string_view fallback_locale = "en";

constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

// What tells of something wrong; one of them makes `error` true, with which the title begins.
constexpr std::array<std::string_view, 4> problem_names{"problem", "email_problem", "code_problem",
                                                        "password_problem"};

const Names& layout_variables() {
  static const Names names{"title", "service", "style", "error"};
  return names;
}

Names variables_of(Page page) {
  Names names{"service", "min_characters", "problem", "dead"};
  switch (page) {
    case Page::forgot_password:
      names.insert({"email", "email_problem"});
      break;
    case Page::reset_password:
      names.insert({"token", "transaction", "code", "code_problem", "password_problem"});
      break;
    case Page::verify_email:
      names.insert(
          {"token", "transaction", "code", "code_problem", "asks_for_mail", "email", "email_problem"});
      break;
    case Page::confirm_email_change:
    case Page::undo_email_change:
      names.insert("token");
      break;
    case Page::done:
      for (const auto name : page_names) names.emplace(name);
      break;
  }
  return names;
}

const Names& sentence_variables() {
  static const Names names{"min_characters", "minutes"};
  return names;
}

std::unexpected<Error> refuse_template(std::string sentence) {
  return fail(ErrorCode::internal, std::move(sentence));
}

/// One of ours that is not there is a mistake in the build.
const embedded::File* find_file(std::string_view name) {
  const auto files = embedded::pages();
  const auto found = std::ranges::find(files, name, &embedded::File::name);
  return found == files.end() ? nullptr : &*found;
}

std::string_view style_version() {
  constexpr std::size_t digits = 12;
  const auto* file = find_file("style.css");
  return file == nullptr ? std::string_view{} : file->sha256_hex.substr(0, digits);
}

std::int64_t to_minutes(int seconds) {
  constexpr int minute = 60;
  return std::max(1, (seconds + minute - 1) / minute);
}

}  // namespace

std::string_view to_string(Page page) { return page_names.at(static_cast<std::size_t>(page)); }
std::string_view to_string(Sentence sentence) {
  return sentence_names.at(static_cast<std::size_t>(sentence));
}

Result<Pages> Pages::load(PageSettings settings) {
  Pages pages;
  pages.settings_ = std::move(settings);
  for (const auto& file : embedded::pages()) {
    if (!file.name.ends_with("/layout.html")) continue;
    const std::string locale{file.name.substr(0, file.name.find('/'))};
    auto language = parse_language(locale);
    if (!language) return fail_from(language);
    pages.languages_.emplace(locale, std::move(*language));
  }
  if (!pages.languages_.contains(fallback_locale)) return refuse_template("there are no English pages");
  return pages;
}

Result<Pages::Language> Pages::parse_language(std::string_view locale) {
  const auto name = fmt::format("{}/layout.html", locale);
  const std::string_view layout = find_file(name)->bytes;
  const auto at = layout.find(content_tag);
  if (at == std::string_view::npos)
    return refuse_template(fmt::format("{}:1: it lacks {}", name, content_tag));
  auto before = TemplateText::parse(name, 1, layout.substr(0, at), Escaping::html, layout_variables());
  if (!before) return refuse_template(before.error());
  auto after = TemplateText::parse(name, 1, layout.substr(at + content_tag.size()), Escaping::html,
                                   layout_variables());
  if (!after) return refuse_template(after.error());

  auto sentences = parse_sentences(locale);
  if (!sentences) return fail_from(sentences);
  Language language{.before = std::move(*before),
                    .after = std::move(*after),
                    .pages = {},
                    .sentences = std::move(*sentences)};
  for (std::size_t i = 0; i < page_count; ++i) {
    const auto page = static_cast<Page>(i);
    auto content = parse_page(locale, page);
    if (!content) return fail_from(content);
    language.pages.emplace(page, std::move(*content));
  }
  return language;
}

Result<Pages::Content> Pages::parse_page(std::string_view locale, Page page) {
  constexpr std::string_view title_prefix = "Title: ";
  const auto name = fmt::format("{}/{}.html", locale, to_string(page));
  const auto* file = find_file(name);
  if (file == nullptr) return refuse_template(fmt::format("{} is missing", name));
  const auto text = file->bytes;
  const auto line_end = text.find("\n\n");
  if (!text.starts_with(title_prefix) || line_end == std::string_view::npos || text.find('\n') != line_end)
    return refuse_template(fmt::format("{}:1: the first line is `Title: …`, the second is empty", name));
  const auto names = variables_of(page);
  const auto title_text = text.substr(title_prefix.size(), line_end - title_prefix.size());
  auto title = TemplateText::parse(name, 1, title_text, Escaping::none, names);  // the layout escapes it
  if (!title) return refuse_template(title.error());
  auto body = TemplateText::parse(name, 3, text.substr(line_end + 2), Escaping::html, names);
  if (!body) return refuse_template(body.error());
  return Content{std::move(*title), std::move(*body)};
}

Result<std::map<Sentence, TemplateText>> Pages::parse_sentences(std::string_view locale) {
  const auto name = fmt::format("{}/sentences.txt", locale);
  const auto* file = find_file(name);
  if (file == nullptr) return refuse_template(fmt::format("{} is missing", name));
  std::map<Sentence, TemplateText> sentences;
  std::size_t number = 0;
  for (auto rest = file->bytes; !rest.empty();) {
    ++number;
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto colon = line.find(": ");
    const auto* const known = std::ranges::find(sentence_names, line.substr(0, colon));
    if (colon == std::string_view::npos || known == sentence_names.end())
      return refuse_template(fmt::format("{}:{}: no such sentence", name, number));
    auto parsed =
        TemplateText::parse(name, number, line.substr(colon + 2), Escaping::none, sentence_variables());
    if (!parsed) return refuse_template(parsed.error());
    sentences.emplace(static_cast<Sentence>(known - sentence_names.begin()), std::move(*parsed));
  }
  if (sentences.size() != sentence_count)
    return refuse_template(fmt::format("{}:{}: a sentence is missing", name, number));
  return sentences;
}

const Pages::Languages::value_type& Pages::find(std::string_view locale) const {
  for (auto tag : {locale, std::string_view{settings_.locale}}) {
    while (!tag.empty()) {
      if (const auto found = languages_.find(tag); found != languages_.end()) return *found;
      const auto dash = tag.rfind('-');
      tag = dash == std::string_view::npos ? std::string_view{} : tag.substr(0, dash);
    }
  }
  return *languages_.find(fallback_locale);
}

web::Response Pages::show(Page page, std::string_view locale, Variables variables, unsigned status) const {
  const auto& [language_name, language] = find(locale);
  const auto& content = language.pages.at(page);
  variables.insert_or_assign("service", settings_.service_name);
  variables.insert_or_assign("min_characters", std::to_string(settings_.password_min_code_points));
  const bool is_wrong = std::ranges::any_of(problem_names, [&](std::string_view name) {
    const auto found = variables.find(name);
    return found != variables.end() && !found->second.empty();
  });
  const Variables around{{"title", content.title.render(variables)},
                         {"service", settings_.service_name},
                         {"style", std::string{style_version()}},
                         {"error", is_wrong ? "yes" : ""}};
  return {
      .status = status,
      .body = language.before.render(around) + content.body.render(variables) + language.after.render(around),
      .content_type = "text/html; charset=utf-8",
      .headers = {{"Content-Language", language_name},
                  {"Vary", "Accept-Language"},
                  {"Content-Security-Policy", std::string{page_policy}}}};
}

web::Response Pages::refuse(Page page, std::string_view locale, Variables variables, const Error& error,
                            const web::Client& client) const {
  const auto status = web::status_of(error.code);
  constexpr unsigned first_of_ours = 500;  // from there on the fault is not the caller's
  if (!error.private_detail.empty()) {
    log(status >= first_of_ours ? LogLevel::error : LogLevel::debug, "request_refused",
        {{"request_id", client.request_id},
         {"problem", web::problem_name(error.code)},
         {"detail", error.private_detail}});
  }
  const auto say = [&](std::string_view where, Sentence what) {
    variables.insert_or_assign(
        std::string{where},
        sentence(what, locale, {{"minutes", std::to_string(to_minutes(error.retry_after_s))}}));
  };
  if (error.code == ErrorCode::invalid_input) {
    for (const auto& wrong : error.fields) add_field_problem(variables, locale, wrong);
  } else if (error.code == ErrorCode::bad_request && variables.contains("transaction")) {
    variables.erase("code");  // it may have been mistyped; a link has nothing to correct
    say("code_problem", Sentence::code_not_valid);
  } else if (error.code == ErrorCode::bad_request || error.code == ErrorCode::conflict) {
    variables.insert_or_assign("dead", "yes");
    say("problem", error.code == ErrorCode::conflict ? Sentence::email_taken : Sentence::not_valid);
  } else {
    say("problem", error.code == ErrorCode::too_many_requests ? Sentence::too_many : Sentence::busy);
  }
  auto response = show(page, locale, std::move(variables), status);
  if (error.retry_after_s > 0)
    response.headers.emplace_back("Retry-After", std::to_string(error.retry_after_s));
  return response;
}

std::string_view Pages::style() { return find_file("style.css")->bytes; }

web::Response Pages::refuse_incomplete(Page page, std::string_view locale) const {
  return show(page, locale, {{"dead", "yes"}, {"problem", sentence(Sentence::incomplete, locale)}},
              web::status_of(ErrorCode::bad_request));
}

void Pages::add_field_problem(Variables& variables, std::string_view locale, const FieldError& wrong) const {
  if (wrong.field == "email") {
    variables.insert_or_assign("email_problem", sentence(Sentence::email_malformed, locale));
  } else if (wrong.field == "code") {
    variables.insert_or_assign("code_problem", sentence(Sentence::code_malformed, locale));
  } else if (wrong.field.ends_with("password")) {
    variables.insert_or_assign("password_problem", sentence(sentence_of_password(wrong.message), locale));
  } else {
    variables.insert_or_assign("dead", "yes");
    variables.insert_or_assign("problem", sentence(Sentence::incomplete, locale));
  }
}

std::string Pages::sentence(Sentence sentence, std::string_view locale, const Variables& variables) const {
  auto all = variables;
  all.emplace("min_characters", std::to_string(settings_.password_min_code_points));
  return find(locale).second.sentences.at(sentence).render(all);
}

Sentence sentence_of_password(std::string_view message) {
  constexpr std::array<std::pair<std::string_view, Sentence>, 5> beginnings{{
      {"must not be empty", Sentence::password_missing},
      {"The password is too short", Sentence::password_short},
      {"The password is too long", Sentence::password_long},
      {"This is a very common password", Sentence::password_common},
      {"This password contains your", Sentence::password_own},
  }};
  for (const auto& [beginning, sentence] : beginnings) {
    if (message.starts_with(beginning)) return sentence;
  }
  return Sentence::password_weak;
}

}  // namespace keyward::features
