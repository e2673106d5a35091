#include "web/endpoint/encode.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/log.hpp"

namespace keyward::web {

namespace {

/// Printable ASCII that means nothing in JSON: nearly every text is made of it alone.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

template <class Number>
void write_number(Number number, std::string& out) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

void write_list(const TypeInfo& type, const void* list, std::string& out) {
  out += '[';
  const auto count = type.count(list);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    write_json(*type.element, type.at(list, i), out);
  }
  out += ']';
}

void write_object(const TypeInfo& type, const void* object, std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < type.member_count; ++i) {
    const auto& member = type.members[i];
    if (i != 0) out += ',';
    out += '"';
    out += member.name;  // a C++ identifier
    out += "\":";
    write_json(*member.type, member.const_address(object), out);
  }
  out += '}';
}

void write_integer(const TypeInfo& type, const void* value, std::string& out) {
  const auto number = type.get_integer(value);
  if (type.unsigned_64) return write_number(static_cast<std::uint64_t>(number), out);
  write_number(number, out);
}

void write_enumeration(const TypeInfo& type, const void* value, std::string& out) {
  const auto index = type.get_integer(value);
  if (index < 0) {
    out += "null";  // no enumerator has this value
  } else {
    write_json_text(type.names[index], out);
  }
}

}  // namespace

void write_json_text(std::string_view text, std::string& out) {
  if (!is_plain(text)) {
    out += to_log_json(text);
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

void write_json(const TypeInfo& type, const void* value, std::string& out) {
  switch (type.kind) {
    case Kind::text:
      return write_json_text(*static_cast<const std::string*>(value), out);
    case Kind::text_view:
      return write_json_text(*static_cast<const std::string_view*>(value), out);
    case Kind::secret:
      return write_json_text(static_cast<const Secret*>(value)->text(), out);
    case Kind::uuid:
      return write_json_text(static_cast<const Uuid*>(value)->to_string(), out);
    case Kind::time:
      return write_json_text(to_rfc3339(*static_cast<const Time*>(value)), out);
    case Kind::boolean:
      out += *static_cast<const bool*>(value) ? "true" : "false";
      return;
    case Kind::json:
      out += static_cast<const RawJson*>(value)->text;
      return;
    case Kind::integer:
      return write_integer(type, value, out);
    case Kind::enumeration:
      return write_enumeration(type, value, out);
    case Kind::list:
      return write_list(type, value, out);
    case Kind::object:
      return write_object(type, value, out);
    case Kind::number: {
      const auto number = *static_cast<const double*>(value);
      if (std::isfinite(number)) return write_number(number, out);
      out += "null";
      return;
    }
    case Kind::optional:
    case Kind::patch:
      if (type.count(value) != 0) return write_json(*type.element, type.at(value, 0), out);
      out += "null";
      return;
  }
}

}  // namespace keyward::web
