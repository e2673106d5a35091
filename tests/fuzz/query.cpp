// Queries and path segments (web/endpoint/urlencoded), and how we write them ourselves
// (protocol/oauth2/form).
//
// Must hold: what was read, written out and read again, is the same; all of it is UTF-8; a text that we write
// is read as that text, whatever it holds.
#include "fuzz.hpp"

#include <boost/json/object.hpp>

#include "protocol/oauth2/form.hpp"
#include "text/unicode.hpp"
#include "web/endpoint/urlencoded.hpp"

namespace keyward::fuzz {
namespace {

namespace json = boost::json;
using protocol::oauth2::FormPair;

constexpr std::size_t pairs_max = 8;

void check_pairs(std::string_view text) {
  json::object read;
  if (const auto done = web::read_urlencoded(text, pairs_max, read); !done) {
    must_hold(is_sentence(done.error().message) || done.error().message.contains("given twice"),
              "a refusal is a sentence");
    must_hold(text::is_utf8(done.error().message), "in UTF-8");
    return;
  }
  must_hold(read.size() <= pairs_max, "there are no more pairs than are allowed");
  std::vector<FormPair> pairs;
  for (const auto& [name, value] : read) {
    must_hold(text::is_utf8(name) && text::is_utf8(value.as_string()), "what was read is UTF-8");
    pairs.emplace_back(name, value.as_string());
  }
  json::object again;
  must_hold(web::read_urlencoded(protocol::oauth2::to_form(pairs), pairs_max, again).has_value(),
            "ours can be read");
  must_hold(again == read, "what was read and written is read as the same");
  const auto url = protocol::oauth2::with_query("https://app.example/?a=1#end", pairs);
  must_hold(url.starts_with("https://app.example/?a=1") && url.ends_with("#end"), "a URL keeps what it has");
}

}  // namespace

KEYWARD_FUZZ_TARGET(query) {
  const std::string_view text = as_text(input);
  check_pairs(text);
  if (const auto segment = web::decode_path_segment(text)) {
    must_hold(text::is_utf8(*segment) && !segment->contains('\0'), "a segment is text");
    must_hold(segment->size() <= text.size(), "and no longer than it was written");
  } else {
    must_hold(is_sentence(segment.error().message), "a refusal is a sentence");
  }
  if (!text::is_utf8(text)) return;
  json::object one;
  must_hold(web::read_urlencoded(protocol::oauth2::to_form({{"value", text}}), 1, one).has_value(),
            "ours can be read");
  must_hold(one.at("value").as_string() == text, "a value stays itself");
}

}  // namespace keyward::fuzz
