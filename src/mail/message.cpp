#include "mail/message.hpp"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>

#include "base/limits.hpp"
#include "base/mutex.hpp"
#include "base/shared_library.hpp"
#include "text/unicode.hpp"

namespace keyward::mail {

namespace {

/// What of GMime 3 (and GLib) is used. A row here is a function of <gmime/gmime.h> under its own name.
#define KEYWARD_GMIME_FUNCTIONS(X)            \
  X(g_mime_init)                              \
  X(g_mime_message_new)                       \
  X(g_mime_message_add_mailbox)               \
  X(g_mime_message_set_subject)               \
  X(g_mime_message_set_date)                  \
  X(g_mime_message_set_message_id)            \
  X(g_mime_message_set_mime_part)             \
  X(g_mime_multipart_new_with_subtype)        \
  X(g_mime_multipart_set_boundary)            \
  X(g_mime_multipart_add)                     \
  X(g_mime_text_part_new_with_subtype)        \
  X(g_mime_text_part_set_charset)             \
  X(g_mime_part_set_content)                  \
  X(g_mime_part_set_content_encoding)         \
  X(g_mime_data_wrapper_new_with_stream)      \
  X(g_mime_object_set_header)                 \
  X(g_mime_object_write_to_stream)            \
  X(g_mime_format_options_new)                \
  X(g_mime_format_options_free)               \
  X(g_mime_format_options_set_newline_format) \
  X(g_mime_stream_mem_new)                    \
  X(g_mime_stream_mem_new_with_buffer)        \
  X(g_mime_stream_mem_get_byte_array)         \
  X(g_date_time_new_from_unix_utc)            \
  X(g_date_time_unref)                        \
  X(g_object_unref)

struct Gmime {
  Gmime() {
    const SharedLibrary library{libraries::gmime};  // dlsym looks into what it is linked to, too: GLib
#define KEYWARD_FIND(name) library.find(name, #name);
    KEYWARD_GMIME_FUNCTIONS(KEYWARD_FIND)
#undef KEYWARD_FIND
    g_mime_init();
  }
// A declaration takes no parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses)
#define KEYWARD_MEMBER(name) decltype(&::name) name = nullptr;
  KEYWARD_GMIME_FUNCTIONS(KEYWARD_MEMBER)
#undef KEYWARD_MEMBER

  static const Gmime& get() {
    static const Gmime gmime;
    return gmime;
  }
};

struct Unreferenced {
  void operator()(void* object) const { Gmime::get().g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unreferenced>;

template <class To, class From>
To* as(From* object) {
  return reinterpret_cast<To*>(object);  // GObject's inheritance: the base stands first
}

/// CR LF and a bare CR as LF. GMime counts an encoded CR as no part of its line, so that many of them make a
/// line longer than RFC 2045 §6.7 (5) lets it be.
std::string with_line_feeds(std::string_view text) {
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && text.substr(i + 1).starts_with('\n')) continue;
    lines += text[i] == '\r' ? '\n' : text[i];
  }
  return lines;
}

Object<GMimeTextPart> make_part(const Gmime& gmime, const char* subtype, const std::string& text) {
  Object<GMimeTextPart> part{gmime.g_mime_text_part_new_with_subtype(subtype)};
  gmime.g_mime_text_part_set_charset(part.get(), "utf-8");
  const Object<GMimeStream> stream{gmime.g_mime_stream_mem_new_with_buffer(text.data(), text.size())};
  const Object<GMimeDataWrapper> content{
      gmime.g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT)};
  gmime.g_mime_part_set_content(as<GMimePart>(part.get()), content.get());
  gmime.g_mime_part_set_content_encoding(as<GMimePart>(part.get()), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return part;
}

Object<GMimeMultipart> make_alternative(const Gmime& gmime, const MessageParts& parts) {
  Object<GMimeMultipart> alternative{gmime.g_mime_multipart_new_with_subtype("alternative")};
  // RFC 2045 §6.7 (5): "=_" never stands in quoted-printable text, so no body can end its part.
  const std::string boundary = "=_" + parts.boundary;
  gmime.g_mime_multipart_set_boundary(alternative.get(), boundary.c_str());
  const auto text = make_part(gmime, "plain", with_line_feeds(parts.text));
  const auto html = make_part(gmime, "html", with_line_feeds(parts.html));
  gmime.g_mime_multipart_add(alternative.get(), as<GMimeObject>(text.get()));
  gmime.g_mime_multipart_add(alternative.get(), as<GMimeObject>(html.get()));
  return alternative;
}

Object<GMimeMessage> make_message(const Gmime& gmime, const MessageParts& parts) {
  Object<GMimeMessage> message{gmime.g_mime_message_new(TRUE)};  // headers in their usual order
  const char* const name = parts.from.name.empty() ? nullptr : parts.from.name.c_str();
  gmime.g_mime_message_add_mailbox(message.get(), GMIME_ADDRESS_TYPE_FROM, name, parts.from.address.c_str());
  gmime.g_mime_message_add_mailbox(message.get(), GMIME_ADDRESS_TYPE_TO, nullptr, parts.to.c_str());
  gmime.g_mime_message_set_subject(message.get(), parts.subject.c_str(), "utf-8");
  GDateTime* const date = gmime.g_date_time_new_from_unix_utc(to_unix_s(parts.date));
  gmime.g_mime_message_set_date(message.get(), date);
  gmime.g_date_time_unref(date);
  gmime.g_mime_message_set_message_id(message.get(), parts.message_id.c_str());
  auto* const object = as<GMimeObject>(message.get());
  gmime.g_mime_object_set_header(object, "Auto-Submitted", "auto-generated", "utf-8");
  gmime.g_mime_object_set_header(object, "Content-Language", parts.locale.c_str(), "utf-8");
  const auto alternative = make_alternative(gmime, parts);
  gmime.g_mime_message_set_mime_part(message.get(), as<GMimeObject>(alternative.get()));
  return message;
}

bool may_stand_in_header(std::string_view text) {
  return text::is_utf8(text) && !text::has_control_character(text) &&
         text.size() <= limits::mail_header_max_bytes;
}

/// For what is not a text for people: a header cannot be made longer, nor a quoted string be left.
bool is_plain_token(std::string_view text) {
  constexpr std::string_view never = "<>()[]\\\",;:";
  return !text.empty() && may_stand_in_header(text) && text.find_first_of(never) == std::string_view::npos &&
         !text.contains(' ');
}

}  // namespace

Result<void> check_parts(const MessageParts& parts) {
  const bool good = std::ranges::all_of(
                        std::initializer_list<std::string_view>{
                            parts.from.address, parts.to, parts.message_id, parts.boundary, parts.locale},
                        is_plain_token) &&
                    may_stand_in_header(parts.from.name) && may_stand_in_header(parts.subject) &&
                    text::is_utf8(parts.text) && text::is_utf8(parts.html);
  if (!good) return fail(ErrorCode::invalid_input, "The mail has a text that cannot stand in a header");
  return {};
}

Result<std::string> compose(const MessageParts& parts) {
  if (auto good = check_parts(parts); !good) return fail_from(good);
  // GMime keeps tables of its own (character sets, types) that two threads fill. Composing takes
  // microseconds.
  static Mutex one_at_a_time;
  const Lock lock{one_at_a_time};
  const auto& gmime = Gmime::get();
  const auto message = make_message(gmime, parts);
  const Object<GMimeStream> stream{gmime.g_mime_stream_mem_new()};
  GMimeFormatOptions* const format = gmime.g_mime_format_options_new();
  gmime.g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
  const auto written =
      gmime.g_mime_object_write_to_stream(as<GMimeObject>(message.get()), format, stream.get());
  gmime.g_mime_format_options_free(format);
  if (written <= 0) return fail(ErrorCode::internal, "The mail could not be composed");
  const GByteArray* const bytes = gmime.g_mime_stream_mem_get_byte_array(as<GMimeStreamMem>(stream.get()));
  return std::string{reinterpret_cast<const char*>(bytes->data), bytes->len};
}

}  // namespace keyward::mail
