#include "mail/templates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "base/limits.hpp"
#include "embedded/mail_templates.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

using text::Escaping;
using text::TemplateText;
using Names = std::set<std::string, std::less<>>;

constexpr std::string_view layout_name = "layout.html";
constexpr std::string_view content_tag = "{{{content}}}";

/// A language tag as we take it (RFC 5646, its usual part): "de", "de-AT", "zh-Hant".
bool is_locale(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return text.size() >= 2 && text.size() <= limits::mail_locale_max_bytes && is_letter(text[0]) &&
         is_letter(text[1]) && std::ranges::all_of(text, [&](char c) {
           return is_letter(c) || c == '-' || (c >= '0' && c <= '9');
         });
}

bool is_file_name(std::string_view name) {
  if (name == layout_name) return true;
  const auto dot = name.rfind('.');
  const auto suffix = dot == std::string_view::npos ? std::string_view{} : name.substr(dot);
  return (suffix == ".txt" || suffix == ".html") && parse_mail_kind(name.substr(0, dot)).has_value();
}

Names names_of(MailKind kind) {
  Names names;
  for (const auto name : common_variables()) names.emplace(name);
  for (const auto name : variables_of(kind)) names.emplace(name);
  return names;
}

std::unexpected<Error> refuse(std::string sentence) {
  return fail(ErrorCode::invalid_input, std::move(sentence));
}

}  // namespace

Result<void> Templates::add_folder(Sources& sources, const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    return refuse(fmt::format("mail.templates {} is no folder", folder.string()));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error)) continue;
    const auto relative = entry.path().lexically_relative(folder);
    const auto locale = relative.parent_path().string();
    const auto name = relative.filename().string();
    if (name.starts_with('.') || name.ends_with('~')) continue;  // an editor's
    // A file that is not looked at would be a mail that stays as it was, and nobody the wiser.
    if (!is_locale(locale) || !is_file_name(name)) {
      return refuse(
          fmt::format("{}: no mail has a template of this name; they are LOCALE/NAME.txt, "
                      "LOCALE/NAME.html and LOCALE/layout.html",
                      entry.path().string()));
    }
    std::ifstream stream{entry.path(), std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) return refuse(fmt::format("{} cannot be read", entry.path().string()));
    if (text.size() > limits::mail_template_max_bytes)
      return refuse(
          fmt::format("{} is larger than {} bytes", entry.path().string(), limits::mail_template_max_bytes));
    std::erase(text, '\r');
    sources.insert_or_assign(relative.generic_string(), Source{entry.path().string(), std::move(text)});
  }
  if (error) return refuse(fmt::format("{} cannot be read: {}", folder.string(), error.message()));
  return {};
}

Result<Templates> Templates::load(const std::filesystem::path& folder) {
  Sources sources;
  for (const auto& file : embedded::mail_templates())
    sources.insert_or_assign(std::string{file.name}, Source{std::string{file.name}, std::string{file.bytes}});
  if (!folder.empty()) {
    if (auto added = add_folder(sources, folder); !added) return fail_from(added);
  }
  Names locales;
  for (const auto& [name, source] : sources) locales.insert(name.substr(0, name.find('/')));
  Templates templates;
  for (const auto& locale : locales) {
    auto parsed = parse_locale(sources, locale);
    if (!parsed) return fail_from(parsed);
    templates.locales_.emplace(locale, std::move(*parsed));
  }
  return templates;
}

Result<Templates::Locale> Templates::parse_locale(const Sources& sources, std::string_view locale) {
  const auto find = [&](std::string_view name) -> const Source& {
    const auto own = sources.find(fmt::format("{}/{}", locale, name));
    return own != sources.end() ? own->second
                                : sources.find(fmt::format("{}/{}", fallback_locale, name))->second;
  };
  const auto& layout = find(layout_name);
  const auto at = layout.text.find(content_tag);
  if (at == std::string::npos || layout.text.find(content_tag, at + 1) != std::string::npos)
    return refuse(fmt::format("{}:1: a layout has {} once", layout.shown_name, content_tag));
  // Its two halves are fixed text: nothing of a mail's own stands in a layout.
  for (const auto& half : {layout.text.substr(0, at), layout.text.substr(at + content_tag.size())}) {
    if (const auto parsed = TemplateText::parse(layout.shown_name, 1, half, Escaping::html, {}); !parsed)
      return refuse(parsed.error());
  }
  Locale made{.layout_before = layout.text.substr(0, at),
              .layout_after = layout.text.substr(at + content_tag.size()),
              .messages = {}};
  for (const auto kind : all_mail_kinds) {
    auto message = parse_message(sources, locale, kind);
    if (!message) return fail_from(message);
    made.messages.emplace(kind, std::move(*message));
  }
  return made;
}

Result<Templates::Message> Templates::parse_message(const Sources& sources, std::string_view locale,
                                                    MailKind kind) {
  const auto find = [&](std::string_view in, std::string_view suffix) {
    return sources.find(fmt::format("{}/{}.{}", in, to_string(kind), suffix));
  };
  auto text_source = find(locale, "txt");
  auto html_source = find(locale, "html");
  // Both or neither: a twin in another language is no twin.
  if ((text_source == sources.end()) != (html_source == sources.end())) {
    const auto& there = text_source == sources.end() ? html_source->second : text_source->second;
    return refuse(fmt::format("{}: its twin ({}) is missing", there.shown_name,
                              text_source == sources.end() ? ".txt" : ".html"));
  }
  if (text_source == sources.end()) {
    text_source = find(fallback_locale, "txt");
    html_source = find(fallback_locale, "html");
  }
  const auto& [text_name, text] = text_source->second;
  constexpr std::string_view subject_prefix = "Subject: ";
  const auto line_end = text.find('\n');
  if (!text.starts_with(subject_prefix) || line_end == std::string::npos ||
      !std::string_view{text}.substr(line_end).starts_with("\n\n"))
    return refuse(fmt::format("{}:1: the first line is `Subject: …`, the second is empty", text_name));

  const auto names = names_of(kind);
  const std::string_view whole{text};
  auto subject =
      TemplateText::parse(text_name, 1, whole.substr(subject_prefix.size(), line_end - subject_prefix.size()),
                          Escaping::none, names);
  if (!subject) return refuse(subject.error());
  auto body = TemplateText::parse(text_name, 3, whole.substr(line_end + 2), Escaping::none, names);
  if (!body) return refuse(body.error());
  const auto& [html_name, html] = html_source->second;
  auto twin = TemplateText::parse(html_name, 1, html, Escaping::html, names);
  if (!twin) return refuse(twin.error());
  return Message{std::move(*subject), std::move(*body), std::move(*twin)};
}

const std::pair<const std::string, Templates::Locale>& Templates::find(std::string_view locale) const {
  for (auto tag = locale; !tag.empty();) {
    if (const auto found = locales_.find(tag); found != locales_.end()) return *found;
    const auto dash = tag.rfind('-');
    tag = dash == std::string_view::npos ? std::string_view{} : tag.substr(0, dash);
  }
  return *locales_.find(fallback_locale);
}

namespace {

/// A subject is a line of a header: a value in it is as long as a subject needs, and the whole not too long.
std::string render_subject(const TemplateText& subject, Variables variables) {
  constexpr std::size_t value_max_bytes = 200;
  for (auto& [name, value] : variables) value = text::to_storable_text(value, value_max_bytes);
  return text::to_storable_text(subject.render(variables), limits::mail_header_max_bytes);
}

}  // namespace

Rendered Templates::render(MailKind kind, std::string_view locale, const Variables& variables) const {
  const auto& [name, found] = find(locale);
  const auto& message = found.messages.at(kind);
  return {.locale = name,
          .subject = render_subject(message.subject, variables),
          .text = message.text.render(variables),
          .html = found.layout_before + message.html.render(variables) + found.layout_after};
}

std::vector<std::string> Templates::locales() const {
  std::vector<std::string> names;
  names.reserve(locales_.size());
  for (const auto& [name, locale] : locales_) names.push_back(name);
  return names;
}

bool Templates::has_locale(std::string_view locale) const { return locales_.contains(locale); }

}  // namespace keyward::mail
