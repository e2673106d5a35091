// JSON (text/json), and what becomes of it as a body (web/endpoint: described structs, their limits, their
// errors).
//
// Must hold: a value written and read again is the same value; so is a struct; refusals name fields and
// sentences in UTF-8, a bounded number of them; a member that a struct lacks is refused or without effect.
#include "text/json.hpp"

#include <boost/json/serialize.hpp>

#include "bodies.hpp"
#include "described.hpp"

namespace keyward::fuzz {
namespace {

constexpr std::string_view media_type = "application/json";

/// Boost.JSON before 1.83 reads some doubles one unit in the last place off.
bool has_double(const boost::json::value& value) {
  if (const auto* list = value.if_array()) return std::ranges::any_of(*list, has_double);
  if (const auto* object = value.if_object()) {
    return std::ranges::any_of(*object, [](const auto& member) { return has_double(member.value()); });
  }
  return value.is_double();
}

template <class T>
void check_struct(std::string_view body) {
  const auto strict = read<T>(body, media_type, web::Unknown::refused);
  auto loose = read<T>(body, media_type, web::Unknown::ignored);
  must_hold(loose || !strict, "who ignores unknown members takes whatever the strict one takes");
  if (!loose) return;
  loose->ratio = {};  // see has_double
  const std::string written = web::to_json(*loose);
  const auto again = read<T>(written, media_type, web::Unknown::refused);
  must_hold(again.has_value(), "a struct that was read and written can be read");
  must_hold(web::to_json(*again) == written, "and is the same");
  const std::string more = R"({"no such member":0,)" + written.substr(1);
  must_hold(!read<T>(more, media_type, web::Unknown::refused), "a member that a struct lacks is refused");
  const auto same = read<T>(more, media_type, web::Unknown::ignored);
  must_hold(same && web::to_json(*same) == written, "or without effect");
}

void check_login(std::string_view body) {
  const auto login = read<Login>(body, media_type, web::Unknown::refused);
  if (!login) return;
  must_hold(text::count_code_points(login->password.text()) >= 8, "a secret is within its limits");
}

void check_change(std::string_view body) {
  const auto change = read<Change>(body, media_type, web::Unknown::ignored);
  if (!change || change->full_name.absent() || change->full_name.is_null()) return;
  must_hold(text::count_code_points(*change->full_name) <= 5, "a member of a patch is within its limits");
  must_hold(!text::has_control_character(*change->full_name), "and one line");
}

}  // namespace

KEYWARD_FUZZ_TARGET(json) {
  const std::string_view text = as_text(input);
  const auto value = text::parse_json(text, {.max_bytes = 4096, .max_depth = 8});
  if (!value) {
    must_hold(text::is_utf8(value.error().message) && !value.error().message.empty(),
              "a refusal is a sentence");
  } else {
    const std::string written = boost::json::serialize(*value);
    must_hold(text::is_utf8(written), "JSON is UTF-8");
    const auto again = text::parse_json(written, {.max_bytes = 65536, .max_depth = 8});
    must_hold(again && (has_double(*value) || *again == *value),
              "a value that was written is read as the same");
  }
  check_struct<Everything>(text);
  check_struct<Flat>(text);
  check_login(text);
  check_change(text);
}

}  // namespace keyward::fuzz
