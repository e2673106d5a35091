#include "text/template_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <optional>
#include <vector>

#include "text/unicode.hpp"

namespace keyward::text {

namespace {

constexpr std::string_view open_tag = "{{";
constexpr std::string_view close_tag = "}}";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

/// Walks the tags of one template and says what is wrong with the first that is.
class Checker {
 public:
  Checker(std::string_view text, Escaping escaping, const std::set<std::string, std::less<>>& known)
      : text_(text), escaping_(escaping), known_(known) {}

  /// Nothing when all is well.
  std::optional<std::string> check() {
    std::size_t at = 0;
    while (true) {
      const auto start = text_.find(open_tag, at);
      if (start == std::string_view::npos) break;
      count_lines(at, start);
      const auto end = text_.find(close_tag, start + open_tag.size());
      if (end == std::string_view::npos) return "a {{ without its }}";
      const auto inside = text_.substr(start + open_tag.size(), end - start - open_tag.size());
      const bool unquoted = escaping_ == Escaping::html && start > 0 && text_[start - 1] == '=';
      if (unquoted) return "an attribute's value needs quotes: =\"{{…}}\"";
      if (auto wrong = check_tag(inside)) return wrong;
      count_lines(start, end);
      at = end + close_tag.size();
    }
    if (sections_.empty()) return std::nullopt;
    line_ = sections_.back().line;
    return fmt::format("{{{{#{0}}}}} without its {{{{/{0}}}}}", sections_.back().name);
  }

  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  struct Section {
    std::string_view name;
    std::size_t line;
  };

  void count_lines(std::size_t from, std::size_t to) {
    line_ += static_cast<std::size_t>(std::ranges::count(text_.substr(from, to - from), '\n'));
  }

  std::optional<std::string> check_tag(std::string_view inside) {
    constexpr std::string_view not_taken = "{&>=";
    if (inside.starts_with('!')) return std::nullopt;
    if (!inside.empty() && not_taken.contains(inside.front())) {
      return fmt::format(
          "{{{{{} is not taken: there are {{{{name}}}}, {{{{#name}}}}, {{{{^name}}}}, {{{{/name}}}} "
          "and {{{{! comment}}}}",
          inside.front());
    }
    const bool begins = inside.starts_with('#') || inside.starts_with('^');
    const bool ends = inside.starts_with('/');
    const auto name = trim(begins || ends ? inside.substr(1) : inside);
    if (!is_name(name) || !known_.contains(name)) {
      return fmt::format("unknown variable {{{{{}}}}}; there are {}", to_storable_text(name, 64),
                         fmt::join(known_, ", "));
    }
    if (begins) sections_.push_back({name, line_});
    if (ends) {
      if (sections_.empty() || sections_.back().name != name)
        return fmt::format("{{{{/{}}}}} ends no section that was begun last", name);
      sections_.pop_back();
    }
    return std::nullopt;
  }

  std::string_view text_;
  Escaping escaping_;
  const std::set<std::string, std::less<>>& known_;
  std::size_t line_ = 0;
  std::vector<Section> sections_;
};

}  // namespace

std::expected<TemplateText, std::string> TemplateText::parse(
    std::string_view file, std::size_t first_line, std::string_view text, Escaping escaping,
    const std::set<std::string, std::less<>>& known) {
  const auto refuse = [&](std::size_t line, std::string_view what) {
    return std::unexpected{fmt::format("{}:{}: {}", file, first_line + line, what)};
  };
  if (!is_utf8(text)) return refuse(0, "is not UTF-8");
  Checker checker{text, escaping, known};
  if (const auto wrong = checker.check()) return refuse(checker.line(), *wrong);
  // The second opinion of the library that will render it.
  const kainjow::mustache::mustache parsed{std::string{text}};
  if (!parsed.is_valid()) return refuse(0, parsed.error_message());
  return TemplateText{std::string{text}, escaping};
}

std::string TemplateText::render(const Variables& variables) const {
  kainjow::mustache::data data;
  for (const auto& [name, value] : variables) {
    if (value.empty()) {
      data.set(name, kainjow::mustache::data{false});
    } else {
      data.set(name, kainjow::mustache::data{value});
    }
  }
  // Parsed anew: rendering changes the parsed form, and what it is rendered for takes far longer.
  kainjow::mustache::mustache parsed{text_};
  if (escaping_ == Escaping::none) parsed.set_custom_escape([](const std::string& value) { return value; });
  return parsed.render(data);
}

}  // namespace keyward::text
