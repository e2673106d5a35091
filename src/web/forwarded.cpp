#include "web/forwarded.hpp"

#include <algorithm>

#include "web/engine/field_syntax.hpp"

namespace keyward::web {

namespace {

namespace character = engine::character;

/// Reads one line from its front.
class Reader {
 public:
  explicit Reader(std::string_view line) : left_(line) {}

  [[nodiscard]] bool at_end() const { return left_.empty(); }
  void skip_white_space() { left_ = left_.substr(std::min(left_.find_first_not_of(" \t"), left_.size())); }
  bool take(char wanted) {
    if (!left_.starts_with(wanted)) return false;
    left_.remove_prefix(1);
    return true;
  }

  /// Empty: there is none.
  std::string_view take_token() {
    const auto* const end =
        std::ranges::find_if_not(left_, [](char c) { return engine::is(c, character::token); });
    const auto token = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(token.size());
    return token;
  }

  /// What stands between quotes; nothing: they do not close.
  std::optional<std::string> take_quoted() {
    std::string text;
    if (!take('"')) return std::nullopt;
    while (!left_.empty()) {
      char c = left_.front();
      left_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (left_.empty()) return std::nullopt;
        c = left_.front();
        left_.remove_prefix(1);
      }
      text += c;
    }
    return std::nullopt;
  }

 private:
  std::string_view left_;
};

/// forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] ). Its `for`; nothing: it is none.
std::optional<std::string> read_element(Reader& reader) {
  std::optional<std::string> node;
  do {
    reader.skip_white_space();
    const auto name = reader.take_token();
    if (name.empty()) continue;
    if (!reader.take('=')) return std::nullopt;
    std::string value{reader.take_token()};
    if (value.empty()) {
      auto quoted = reader.take_quoted();
      if (!quoted) return std::nullopt;
      value = std::move(*quoted);
    }
    if (engine::equal_without_case(name, "for")) {
      if (node) return std::nullopt;  // each parameter once: §4
      node = std::move(value);
    }
    reader.skip_white_space();
  } while (reader.take(';'));
  return node ? std::move(*node) : std::string{};
}

/// node-port = port / obfport
bool is_node_port(std::string_view text) {
  constexpr std::size_t digits_max = 5;
  if (text.starts_with('_')) return text.size() > 1 && engine::all(text, character::token);
  return !text.empty() && text.size() <= digits_max && engine::all(text, character::digit);
}

}  // namespace

std::optional<std::vector<std::string>> read_forwarded(std::string_view line, std::size_t max) {
  Reader reader{line};
  std::vector<std::string> nodes;
  do {
    auto node = read_element(reader);
    if (!node) return std::nullopt;
    if (nodes.size() == max) nodes.erase(nodes.begin());
    nodes.push_back(std::move(*node));
    reader.skip_white_space();
  } while (reader.take(','));
  if (!reader.at_end()) return std::nullopt;
  return nodes;
}

std::optional<text::IpAddress> address_of_node(std::string_view node) {
  const bool is_v6 = node.starts_with('[');
  const auto end = is_v6 ? node.find(']') : node.find(':');
  if (is_v6 && end == std::string_view::npos) return std::nullopt;
  const auto written = is_v6 ? node.substr(1, end - 1) : node.substr(0, end);
  const auto rest = end == std::string_view::npos ? std::string_view{} : node.substr(end + (is_v6 ? 1 : 0));
  if (!rest.empty() && !(rest.starts_with(':') && is_node_port(rest.substr(1)))) return std::nullopt;
  if (is_v6 != written.contains(':')) return std::nullopt;
  return text::IpAddress::parse(written);
}

}  // namespace keyward::web
