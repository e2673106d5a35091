// TemplateText: one template, checked when it is read and rendered without surprises.
//
// The language is the part of Mustache (https://mustache.github.io/mustache.5.html) that a mail or a page
// needs:
// {{name}}, {{#name}}shown when there is one{{/name}}, {{^name}}shown when there is none{{/name}}, {{! a
// comment }}. Threats: markup in a value (HTML is escaped always: there is no unescaped form; an attribute's
// value must stand in quotes) · a misspelt name that leaves a hole months later (it is an error at start,
// with its file and line).
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace keyward::text {

using Variables = std::map<std::string, std::string, std::less<>>;

enum class Escaping : std::uint8_t { none, html };

class TemplateText {
 public:
  /// `known`: the variables that it may name. `first_line` is the number of `text`'s first line in the file.
  /// The error is a sentence that begins with "FILE:LINE: ".
  static std::expected<TemplateText, std::string> parse(std::string_view file, std::size_t first_line,
                                                        std::string_view text, Escaping escaping,
                                                        const std::set<std::string, std::less<>>& known);

  /// A variable that is missing or empty counts as none.
  [[nodiscard]] std::string render(const Variables& variables) const;

 private:
  TemplateText(std::string text, Escaping escaping) : text_(std::move(text)), escaping_(escaping) {}
  std::string text_;
  Escaping escaping_;
};

}  // namespace keyward::text
