#include "text/email.hpp"

#include <idn2.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include "base/limits.hpp"
#include "base/shared_library.hpp"
#include "text/unicode.hpp"

namespace keyward::text {
namespace {

struct Freed {
  void operator()(void* memory) const noexcept {
    // Both libraries hand out malloc's memory. NOLINTNEXTLINE(cppcoreguidelines-no-malloc,*-owning-memory)
    std::free(memory);
  }
};
template <class T>
using Malloced = std::unique_ptr<T, Freed>;

constexpr std::size_t domain_max_bytes = 253;  // RFC 1035 §2.3.4, less the root
constexpr std::size_t label_max_bytes = 63;

std::unexpected<Error> fail_email(std::string message) {
  return fail(ErrorCode::invalid_input, std::move(message));
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view white_space = " \t\r\n";
  const auto first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

/// RFC 5322 §3.2.3 atext, widened by RFC 6531 §3.3 to what is not ASCII.
bool is_atom_character(char c) {
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~";
  return is_letter_or_digit(c) || marks.contains(c) || static_cast<unsigned char>(c) >= 0x80;
}

/// White space, controls, and what is not seen at all: zero-width and direction marks, private and unassigned
/// code points. Two addresses that look the same must not be two accounts.
bool has_invisible(std::string_view utf8) {
  const BytesView bytes = as_bytes(utf8);
  std::size_t at = 0;
  while (at < bytes.size()) {
    utf8proc_int32_t point = 0;
    const auto length =
        utf8proc_iterate(bytes.data() + at, static_cast<utf8proc_ssize_t>(bytes.size() - at), &point);
    if (length <= 0) return true;
    const std::string_view category{utf8proc_category_string(point)};
    if (category.starts_with('C') || category.starts_with('Z')) return true;
    at += static_cast<std::size_t>(length);
  }
  return false;
}

bool is_dot_atom(std::string_view local) {
  if (local.empty() || local.starts_with('.') || local.ends_with('.')) return false;
  if (local.contains("..")) return false;
  return std::ranges::all_of(local, [](char c) { return c == '.' || is_atom_character(c); });
}

/// Full case folding and NFC, repeated until nothing moves: a few code points compose anew after they are
/// folded.
std::optional<std::string> fold_case(std::string_view text) {
  constexpr auto options = static_cast<utf8proc_option_t>(static_cast<unsigned>(UTF8PROC_STABLE) |
                                                          static_cast<unsigned>(UTF8PROC_COMPOSE) |
                                                          static_cast<unsigned>(UTF8PROC_CASEFOLD));
  std::string folded{text};
  for (int round = 0; round < 4; ++round) {
    utf8proc_uint8_t* made = nullptr;
    const auto bytes = as_bytes(folded);
    const auto length =
        utf8proc_map(bytes.data(), static_cast<utf8proc_ssize_t>(bytes.size()), &made, options);
    const Malloced<utf8proc_uint8_t> owner{made};
    if (length < 0) return std::nullopt;
    std::string next{as_text(BytesView{made, static_cast<std::size_t>(length)})};
    if (next == folded) return folded;
    folded = std::move(next);
  }
  return std::nullopt;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > label_max_bytes) return false;
  if (label.starts_with('-') || label.ends_with('-')) return false;
  return std::ranges::all_of(label, [](char c) { return c == '-' || is_letter_or_digit(c); });
}

/// Two or more labels of letters, digits and hyphens; the last is not a number, so that no IPv4 address
/// passes.
bool is_host_name(std::string_view name) {
  if (name.size() > domain_max_bytes) return false;
  std::size_t labels = 0;
  std::string_view last;
  while (true) {
    const auto dot = name.find('.');
    last = name.substr(0, dot);
    if (!is_label(last)) return false;
    ++labels;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  return labels >= 2 && !std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

/// Loaded with the first domain that needs it: what it is linked to (libunistring) is half a megabyte of a
/// process.
const SharedLibrary& libidn2() {
  static const SharedLibrary library{libraries::idn2};
  return library;
}
constinit const LoadedFunction<decltype(::idn2_lookup_u8), libidn2> lookup_domain{"idn2_lookup_u8"};

/// ASCII without "--" in third place, which is Punycode or reserved (RFC 5891 §4.2.3.1): only to be written
/// small.
bool is_plain(std::string_view domain) {
  for (std::size_t at = 0; at < domain.size(); ++at) {
    if (static_cast<unsigned char>(domain[at]) >= 0x80) return false;
    const bool begins_label = at == 0 || domain[at - 1] == '.';
    if (begins_label && domain.substr(at).size() > 3 && domain.substr(at + 2, 2) == "--") return false;
  }
  return true;
}

/// UTS #46, non-transitional: mapped to lower case and NFC, checked, and each label that needs it in
/// Punycode.
std::optional<std::string> to_ascii_domain(std::string_view domain) {
  if (is_plain(domain)) {
    std::string small{domain};
    for (char& c : small) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return is_host_name(small) ? std::optional{small} : std::nullopt;
  }
  const std::string terminated{domain};
  std::uint8_t* made = nullptr;
  const int flags = static_cast<int>(IDN2_NONTRANSITIONAL) | static_cast<int>(IDN2_NFC_INPUT);
  const int outcome = lookup_domain(as_bytes(terminated).data(), &made, flags);
  const Malloced<std::uint8_t> owner{made};
  if (outcome != IDN2_OK || made == nullptr) return std::nullopt;
  std::string ascii{reinterpret_cast<const char*>(made)};
  if (!is_host_name(ascii)) return std::nullopt;
  return ascii;
}

}  // namespace

Result<EmailAddress> parse_email(std::string_view text) {
  const std::string_view typed = trim(text);
  if (typed.empty()) return fail_email("An e-mail address is needed");
  if (typed.size() > limits::email_max_bytes) return fail_email("This e-mail address is too long");
  if (!is_utf8(typed) || has_invisible(typed)) {
    return fail_email("This e-mail address has a character that cannot be in one");
  }
  const auto at = typed.rfind('@');
  if (at == std::string_view::npos) return fail_email("An e-mail address has an @, as in name@example.com");
  const auto local = typed.substr(0, at);
  if (local.size() > limits::email_local_max_bytes) return fail_email("The part before the @ is too long");
  if (!is_dot_atom(local)) return fail_email("The part before the @ is not valid in an e-mail address");
  const auto folded = fold_case(local);
  // Folding can turn one character into three, and must not bring forth what was refused above.
  if (!folded || !is_dot_atom(*folded)) {
    return fail_email("The part before the @ is not valid in an e-mail address");
  }
  const auto domain = to_ascii_domain(typed.substr(at + 1));
  if (!domain) return fail_email("The part after the @ is not a domain name, such as example.com");
  if (local.size() + 1 + domain->size() > limits::email_max_bytes) {
    return fail_email("This e-mail address is too long");
  }
  return EmailAddress{std::string{typed}, *folded + "@" + *domain};
}

std::string normalize_email_prefix(std::string_view text) {
  if (auto whole = parse_email(text)) return std::move(whole->normalized);
  const auto typed = trim(text);
  // What is no UTF-8 begins no address; as it is, it finds nothing.
  return is_utf8(typed) ? fold_case(typed).value_or(std::string{typed}) : std::string{typed};
}

}  // namespace keyward::text
