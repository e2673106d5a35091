// Templates: what each mail says, per locale; part of the binary, and overridable by files of the same names.
//
// A mail has two files in each locale's folder: NAME.txt, whose first line is `Subject: …`, then an empty
// line, then the text; and NAME.html, what stands in the body. layout.html is around every HTML part and has
// {{{content}}} once. A folder of the operator's (`mail.templates`) is laid over ours, file by file; a
// further locale is a further folder, and what it lacks comes from English. Everything is checked when it is
// loaded.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "mail/mails.hpp"
#include "text/template_text.hpp"

namespace keyward::mail {

inline constexpr std::string_view fallback_locale = "en";

struct Rendered {
  std::string locale;  // of the template that was found
  std::string subject;
  std::string text;
  std::string html;
};

class Templates {
 public:
  /// `folder` empty: ours only. The error names file and line.
  static Result<Templates> load(const std::filesystem::path& folder = {});

  /// "de-AT" is served by "de" when there is no "de-AT", and what is not there at all by `fallback_locale`.
  [[nodiscard]] Rendered render(MailKind kind, std::string_view locale, const Variables& variables) const;

  [[nodiscard]] std::vector<std::string> locales() const;
  [[nodiscard]] bool has_locale(std::string_view locale) const;

 private:
  /// A file's text, and the name to show when something is wrong in it.
  struct Source {
    std::string shown_name;
    std::string text;
  };
  using Sources = std::map<std::string, Source, std::less<>>;  // "en/verify_email.txt" → …

  struct Message {
    text::TemplateText subject, text, html;
  };
  struct Locale {
    std::string layout_before, layout_after;
    std::map<MailKind, Message> messages;
  };

  static Result<void> add_folder(Sources& sources, const std::filesystem::path& folder);
  static Result<Locale> parse_locale(const Sources& sources, std::string_view locale);
  static Result<Message> parse_message(const Sources& sources, std::string_view locale, MailKind kind);
  [[nodiscard]] const std::pair<const std::string, Locale>& find(std::string_view locale) const;

  std::map<std::string, Locale, std::less<>> locales_;
};

}  // namespace keyward::mail
