#include "text/unicode.hpp"

#include <utf8proc.h>

#include <stdexcept>
#include <vector>

namespace keyward::text {
namespace {

/// Calls `visit(code_point)` for each code point; false at the first that is malformed or that `visit` turns
/// down.
template <class Visit>
bool for_each_code_point(std::string_view text, Visit visit) {
  const BytesView bytes = as_bytes(text);
  std::size_t at = 0;
  while (at < bytes.size()) {
    utf8proc_int32_t code_point = 0;
    const auto length =
        utf8proc_iterate(bytes.data() + at, static_cast<utf8proc_ssize_t>(bytes.size() - at), &code_point);
    if (length <= 0 || !visit(code_point)) return false;
    at += static_cast<std::size_t>(length);
  }
  return true;
}

/// Code points on their way through normalization: a password passes here, so they are wiped.
class CodePoints {
 public:
  explicit CodePoints(std::size_t size) : points_(size) {}
  CodePoints(const CodePoints&) = delete;
  CodePoints& operator=(const CodePoints&) = delete;
  ~CodePoints() { wipe(points_.data(), points_.size() * sizeof(utf8proc_int32_t)); }
  [[nodiscard]] utf8proc_int32_t* data() { return points_.data(); }

 private:
  std::vector<utf8proc_int32_t> points_;
};

utf8proc_ssize_t checked(utf8proc_ssize_t length) {
  // The text was UTF-8, so only memory or an overflow is left to go wrong.
  if (length < 0) throw std::runtime_error(utf8proc_errmsg(length));
  return length;
}

bool is_control(utf8proc_int32_t code_point) {
  const auto category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

bool is_format(utf8proc_int32_t code_point) { return utf8proc_category(code_point) == UTF8PROC_CATEGORY_CF; }

bool is_letter_or_mark(utf8proc_int32_t code_point) {
  const auto category = utf8proc_category(code_point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME;  // Lu Ll Lt Lm Lo Mn Mc Me
}

}  // namespace

bool is_utf8(std::string_view text) {
  return for_each_code_point(text, [](utf8proc_int32_t) { return true; });
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++count;
  }
  return count;
}

std::string to_storable_text(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view replacement = "\ufffd";
  std::string stored;
  while (!text.empty()) {
    utf8proc_int32_t code_point = 0;
    const auto length =
        utf8proc_iterate(as_bytes(text).data(), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    const bool good = length > 0 && code_point != 0;
    const auto taken = good ? text.substr(0, static_cast<std::size_t>(length)) : replacement;
    if (stored.size() + taken.size() > max_bytes) break;
    stored += taken;
    text.remove_prefix(length > 0 ? static_cast<std::size_t>(length) : 1);
  }
  return stored;
}

std::optional<Secret> to_nfc(const Secret& text) {
  if (!is_utf8(text.text())) return std::nullopt;
  if (text.empty()) return Secret{};
  constexpr auto composed = static_cast<utf8proc_option_t>(static_cast<unsigned>(UTF8PROC_STABLE) |
                                                           static_cast<unsigned>(UTF8PROC_COMPOSE));
  const auto* bytes = text.bytes().data();
  const auto size_bytes = static_cast<utf8proc_ssize_t>(text.size());
  const auto decomposed = checked(utf8proc_decompose(bytes, size_bytes, nullptr, 0, composed));
  // utf8proc_reencode composes and encodes in place, and puts a zero behind.
  CodePoints points{static_cast<std::size_t>(decomposed) + 1};
  checked(utf8proc_decompose(bytes, size_bytes, points.data(), decomposed, composed));
  const auto length = checked(utf8proc_reencode(points.data(), decomposed, composed));
  return Secret{
      BytesView{reinterpret_cast<const std::uint8_t*>(points.data()), static_cast<std::size_t>(length)}};
}

std::optional<std::string> to_nfc(std::string_view text) {
  const auto normalized = to_nfc(Secret{text});
  if (!normalized) return std::nullopt;
  return std::string{normalized->text()};
}

bool has_control_character(std::string_view text) {
  bool found = false;
  for_each_code_point(text, [&found](utf8proc_int32_t code_point) {
    found = is_control(code_point);
    return !found;
  });
  return found;
}

bool has_hidden_character(std::string_view text) {
  bool found = false;
  for_each_code_point(text, [&found](utf8proc_int32_t code_point) {
    found = is_control(code_point) || is_format(code_point);
    return !found;
  });
  return found;
}

std::string to_one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    utf8proc_int32_t code_point = 0;
    const auto length =
        utf8proc_iterate(as_bytes(text).data(), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    const auto taken = text.substr(0, length > 0 ? static_cast<std::size_t>(length) : 1);
    if (length <= 0) {
      line += "\ufffd";
    } else if (is_control(code_point)) {
      line += ' ';
    } else if (!is_format(code_point)) {
      line += taken;
    }
    text.remove_prefix(taken.size());
  }
  return line;
}

bool is_made_of_names(std::string_view text, std::size_t words_max) {
  std::size_t words = 0;
  bool in_word = false;
  bool after_dot = false;
  const bool good = for_each_code_point(text, [&](utf8proc_int32_t code_point) {
    if (code_point == ' ') {
      in_word = after_dot = false;
      return true;
    }
    if (after_dot) return false;
    if (code_point == '.') {
      after_dot = true;
      return in_word;
    }
    if (!in_word) ++words;
    in_word = true;
    return code_point == '\'' || code_point == '-' || is_letter_or_mark(code_point);
  });
  return good && words > 0 && words <= words_max;
}

}  // namespace keyward::text
