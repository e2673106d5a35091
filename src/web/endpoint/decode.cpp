#include "web/endpoint/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <string>

#include "text/unicode.hpp"

namespace keyward::web {

namespace {

namespace json = boost::json;

constexpr std::size_t errors_max = 32;
constexpr std::size_t unknown_name_max_bytes = 64;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

std::string count_of(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class Decoder {
 public:
  explicit Decoder(DecodeOptions options) : options_(options) {}

  void value(const TypeInfo& type, const Rules& rules, const json::value& from, void* to) {
    switch (type.kind) {
      case Kind::optional:
        if (!from.is_null()) value(*type.element, rules, from, type.add(to));
        return;
      case Kind::patch:
        if (from.is_null()) return type.set_null(to);
        return value(*type.element, rules, from, type.add(to));
      case Kind::text:
        return text(rules, from, [to](std::string_view good) { *static_cast<std::string*>(to) = good; });
      case Kind::secret:
        return text(rules, from, [to](std::string_view good) { *static_cast<Secret*>(to) = Secret{good}; });
      case Kind::boolean:
        return boolean(from, *static_cast<bool*>(to));
      case Kind::integer:
        return integer(type, rules, from, to);
      case Kind::number:
        return number(from, *static_cast<double*>(to));
      case Kind::uuid:
        return parsed(Uuid::parse, "must be a UUID", from, *static_cast<Uuid*>(to));
      case Kind::time:
        return parsed(parse_rfc3339, "must be a time such as 2026-11-23T08:50:42Z", from,
                      *static_cast<Time*>(to));
      case Kind::enumeration:
        return enumeration(type, from, to);
      case Kind::list:
        return list(type, rules, from, to);
      case Kind::object:
        return object(type, from, to);
      case Kind::text_view:
      case Kind::json:
        return bad("cannot be given");
    }
  }

  std::vector<FieldError> errors() && { return std::move(errors_); }

 private:
  void bad(std::string message) {
    if (errors_.size() < errors_max) errors_.push_back({path_, std::move(message)});
  }

  template <class Keep>
  void text(const Rules& rules, const json::value& from, Keep keep) {
    if (!from.is_string()) return bad(from.is_null() ? "must not be null" : "must be a string");
    const auto given = view(from.get_string());
    if (given.contains('\0')) return bad("must not contain NUL");
    if (rules.no_control_characters && text::has_control_character(given)) {
      return bad("must not contain control characters");
    }
    const auto length = text::count_code_points(given);
    if (length < rules.min_code_points) {
      return bad(rules.min_code_points == 1
                     ? "must not be empty"
                     : "must be at least " + count_of(rules.min_code_points, "character"));
    }
    if (length > rules.max_code_points)
      return bad("must be at most " + count_of(rules.max_code_points, "character"));
    if (rules.check != nullptr) {
      if (auto wrong = rules.check(given)) return bad(std::move(*wrong));
    }
    keep(given);
  }

  void boolean(const json::value& from, bool& to) {
    if (options_.from_text && from.is_string()) {
      const auto given = view(from.get_string());
      if (given != "true" && given != "false") return bad("must be true or false");
      to = given == "true";
    } else if (from.is_bool()) {
      to = from.get_bool();
    } else {
      bad("must be true or false");
    }
  }

  void integer(const TypeInfo& type, const Rules& rules, const json::value& from, void* to) {
    const auto lowest = std::max(type.minimum, rules.minimum);
    const auto highest = std::min(type.maximum, rules.maximum);
    std::int64_t given = 0;
    if (from.is_int64()) {
      given = from.get_int64();
    } else if (from.is_uint64()) {
      return bad(fmt::format("must be between {} and {}", lowest, highest));
    } else if (options_.from_text && from.is_string()) {
      const auto digits = view(from.get_string());
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
      if (error != std::errc{} || end != digits.data() + digits.size()) return bad("must be a whole number");
    } else {
      return bad("must be a whole number");
    }
    if (given < lowest || given > highest)
      return bad(fmt::format("must be between {} and {}", lowest, highest));
    type.set_integer(to, given);
  }

  void number(const json::value& from, double& to) {
    if (options_.from_text && from.is_string()) {
      const auto digits = view(from.get_string());
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
      if (error != std::errc{} || end != digits.data() + digits.size()) bad("must be a number");
    } else if (from.is_number()) {
      to = from.to_number<double>();
    } else {
      bad("must be a number");
    }
  }

  template <class T>
  void parsed(std::optional<T> (*parse)(std::string_view), const char* wish, const json::value& from, T& to) {
    const auto found = from.is_string() ? parse(view(from.get_string())) : std::nullopt;
    if (!found) return bad(wish);
    to = *found;
  }

  void enumeration(const TypeInfo& type, const json::value& from, void* to) {
    const std::span names{type.names, type.name_count};
    if (from.is_string()) {
      const auto found = std::ranges::find(names, view(from.get_string()));
      if (found != names.end()) return type.set_integer(to, found - names.begin());
    }
    bad(fmt::format("must be one of {}", fmt::join(names, ", ")));
  }

  void list(const TypeInfo& type, const Rules& rules, const json::value& from, void* to) {
    if (!from.is_array()) return bad("must be a list");
    const auto& elements = from.get_array();
    if (elements.size() > rules.max_items)
      return bad("must have at most " + count_of(rules.max_items, "item"));
    const auto outer = path_.size();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      path_ += fmt::format("[{}]", i);
      value(*type.element, rules, elements[i], type.add(to));
      path_.resize(outer);
    }
  }

  void object(const TypeInfo& type, const json::value& from, void* to) {
    if (!from.is_object()) return bad("must be an object");
    const std::span members{type.members, type.member_count};
    const auto& given = from.get_object();
    std::size_t known = 0;
    for (const auto& member : members) {
      const auto* found = given.if_contains(member.name);
      known += found != nullptr ? 1U : 0U;
      const auto outer = enter(member.name);
      if (found != nullptr) {
        value(*member.type, member.rules, *found, member.address(to));
      } else if (member.type->kind != Kind::optional && member.type->kind != Kind::patch &&
                 !member.rules.may_be_absent) {
        bad("is required");
      }
      path_.resize(outer);
    }
    if (options_.unknown == Unknown::refused && known < given.size()) refuse_unknown(members, given);
  }

  void refuse_unknown(std::span<const MemberInfo> members, const json::object& given) {
    for (const auto& [key, ignored] : given) {
      const std::string_view name{key.data(), key.size()};
      if (std::ranges::find(members, name, &MemberInfo::name) != members.end()) continue;
      const auto outer = enter(name.size() <= unknown_name_max_bytes ? name : "(a long name)");
      bad("is not known here");
      path_.resize(outer);
    }
  }

  std::size_t enter(std::string_view name) {
    const auto outer = path_.size();
    if (outer != 0) path_ += '.';
    path_ += name;
    return outer;
  }

  DecodeOptions options_;
  std::string path_;
  std::vector<FieldError> errors_;
};

}  // namespace

std::vector<FieldError> decode(const TypeInfo& type, const json::value& from, void* to,
                               DecodeOptions options) {
  Decoder decoder{options};
  decoder.value(type, no_rules, from, to);
  return std::move(decoder).errors();
}

}  // namespace keyward::web
