// Where a browser is sent after a login at a provider (protocol/oauth2/return_to): written by anybody.
//
// Must hold: an address that is allowed is a plain path of ours or begins with a listed origin as it is;
// nothing that a browser reads in another way is in it; with the answer behind it, it still leads to the same
// place.
#include "protocol/oauth2/return_to.hpp"

#include "fuzz.hpp"
#include "protocol/oauth2/characters.hpp"
#include "protocol/oauth2/form.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(return_to) {
  using namespace protocol;
  static const std::vector<std::string> origins{"https://app.example", "http://localhost:3000",
                                                "https://page.example/back"};
  const std::string_view given = as_text(input);
  const auto checked = oauth2::check_return_to(given, origins);
  if (!checked) {
    must_hold(checked.error().fields.size() == 1 && is_sentence(checked.error().fields.front().message),
              "a refusal is a sentence");
    return;
  }
  must_hold(*checked == given, "what is allowed stays as it is");
  must_hold(oauth2::is_visible_ascii(given) && !given.contains('\\'), "in plain characters");
  if (given.starts_with('/')) {
    must_hold(!given.starts_with("//"), "a path is no other server");
  } else {
    const auto origin = given.substr(0, given.find_first_of("/?#", given.find("://") + 3));
    must_hold(origin == "https://app.example" || origin == "http://localhost:3000" ||
                  (origin == "https://page.example" && given.starts_with("https://page.example/back")),
              "an origin is one that is listed");
  }
  const auto answered = oauth2::with_query(given, {{"code", "kw_hc_1"}});
  must_hold(answered.starts_with(given.substr(0, given.find('#'))), "an answer stands behind it");
  must_hold(!oauth2::check_return_to(answered, origins), "an address that has an answer already is refused");
}

}  // namespace keyward::fuzz
