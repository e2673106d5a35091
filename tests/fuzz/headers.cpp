// The smaller headers: cookies (features/cookies), Accept-Language, traceparent, and the list of CORS
// origins.
//
// Must hold: what is found lies within the header; a cookie is found under its name and no other; a chosen
// language is one of those that there are, and not one that was declined.
#include "features/cookies.hpp"
#include "fuzz.hpp"
#include "text/accept_language.hpp"
#include "text/unicode.hpp"
#include "web/cors.hpp"
#include "web/trace_context.hpp"

namespace keyward::fuzz {
namespace {

void check_cookies(std::string_view header) {
  const std::string_view value = features::find_cookie(header, "kw_login");
  must_hold(is_inside(value, header) && !value.contains(';'), "a cookie's value lies within the header");
  if (!value.empty()) {
    must_hold(header.contains(std::string{"kw_login="}.append(value)), "behind its name");
  }
  const auto names = features::find_cookie_names(header, "kw_");
  for (const std::string_view name : names) {
    must_hold(
        is_inside(name, header) && name.starts_with("kw_") && !name.contains(';') && !name.contains('='),
        "so do names");
  }
  must_hold(value.empty() || std::ranges::find(names, "kw_login") != names.end(), "what is found has a name");
  const std::string behind = std::string{header} + "; kw_login=last";
  const auto first = features::find_cookie(behind, "kw_login");
  must_hold(first == value || (value.empty() && first == "last"), "the first one counts");
}

void check_language(std::string_view header) {
  static const std::vector<std::string> available{"en", "de", "de-AT", "fr"};
  const std::string chosen = text::choose_locale(header, available);
  must_hold(chosen.empty() || std::ranges::find(available, chosen) != available.end(),
            "a language is one of ours");
  if (chosen.empty()) return;
  must_hold(text::choose_locale(chosen + ";q=0," + std::string{header}, available) != chosen,
            "a language that is declined is not chosen");
  must_hold(text::choose_locale(chosen, available) == chosen, "a language that is named alone is");
}

void check_cors(std::string_view text) {
  const auto cors = web::Cors::parse(text);
  if (!cors) {
    must_hold(!cors.error().message.empty(), "a refusal is a sentence");
    must_hold(text::is_utf8(cors.error().message) || !text::is_utf8(text), "in UTF-8, if the setting is");
    return;
  }
  for (const std::string& origin : cors->origins()) {
    must_hold(cors->lists(origin), "a listed origin is listed");
    for (const auto& other : {origin + "/", origin + ".example", std::string{"null"}}) {
      const bool is_named = std::ranges::find(cors->origins(), other) != cors->origins().end();
      must_hold(cors->lists(other) == is_named, "and no other with it");
    }
    must_hold(origin.find_first_of(" ,\r\n\t/*", origin.find("://") + 3) == std::string::npos,
              "it is an origin");
  }
  const auto again = web::Cors::parse(cors->text());
  must_hold(again && again->origins() == cors->origins(), "a list prints back as itself");
}

}  // namespace

KEYWARD_FUZZ_TARGET(headers) {
  const std::string_view header = as_text(input);
  check_cookies(header);
  check_language(header);
  check_cors(header);
  if (const auto trace = web::parse_traceparent(header)) {
    must_hold(is_inside(trace->trace_id, header) && trace->trace_id.size() == 32,
              "a trace lies within the header");
    must_hold(is_inside(trace->parent_id, header) && trace->parent_id.size() == 16, "and its parent");
    must_hold(trace->trace_id.find_first_not_of("0123456789abcdef") == std::string_view::npos,
              "in hexadecimal");
  }
}

}  // namespace keyward::fuzz
