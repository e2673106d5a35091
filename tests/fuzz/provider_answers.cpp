// What else a provider sends: the token endpoint's answer, the callback, UserInfo, and the people of GitHub,
// Discord and Apple (protocol/oauth2, protocol/oidc).
//
// Must hold: a token is fit for a header; a code comes from the issuer that was asked; a person's address is
// an address, verified only with the very JSON value that means it; what is told of a refusal is one line of
// UTF-8.
#include "fuzz.hpp"
#include "protocol/oauth2/callback.hpp"
#include "protocol/oauth2/characters.hpp"
#include "protocol/oauth2/token_answer.hpp"
#include "protocol/oidc/apple.hpp"
#include "protocol/oidc/discord.hpp"
#include "protocol/oidc/github.hpp"
#include "text/email.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

using namespace protocol;

void check_refusal(const jose::Refusal& refusal) {
  must_hold(text::is_utf8(refusal.detail) && !text::has_control_character(refusal.detail),
            "a refusal is one line");
  must_hold(!jose::to_word(refusal.reason).empty(), "and has its word");
}

void check_person(const jose::Checked<oidc::Person>& person) {
  if (!person) return check_refusal(person.error());
  must_hold(!person->subject.empty() && person->subject.size() <= limits::provider_subject_max_bytes,
            "a subject fits");
  must_hold(person->email.empty() || text::parse_email(person->email), "an address is one");
  must_hold(!person->email_verified || !person->email.empty(), "nothing is verified without an address");
  must_hold(text::is_utf8(person->name) && !text::has_control_character(person->name), "a name is one line");
}

void check_token_answer(unsigned status, std::string_view body) {
  const auto answer = oauth2::parse_token_answer(status, body);
  if (!answer) return check_refusal(answer.error());
  must_hold(oauth2::is_visible_ascii(answer->access_token.text()), "a token is fit for a header");
  must_hold(answer->access_token.size() <= limits::provider_token_max_bytes, "and within its limit");
}

void check_callback(Input given) {
  std::array<std::optional<std::string>, 5> said;
  for (auto& each : said) {
    if (const auto line = given.line(); !line.empty()) each = std::string{line};
  }
  const oauth2::CallbackParameters parameters{said[0], said[1], said[2], said[3], said[4]};
  const auto code =
      oauth2::check_callback(parameters, {.issuer = "https://idp.example", .iss_required = true});
  if (!code) return check_refusal(code.error());
  must_hold(*code == said[0].value_or("") && said[2] == "https://idp.example" && !said[3],
            "a code is of the issuer that was asked");
}

}  // namespace

KEYWARD_FUZZ_TARGET(provider_answers) {
  Input given{input};
  const unsigned status = given.flag() ? 200 : 400;
  check_callback(given);
  Input parts = given;
  const std::string_view first = parts.line();
  const std::string_view second = parts.rest();
  const std::string_view all = given.rest();
  check_token_answer(status, all);
  check_person(oidc::person_of_github(first, second));
  check_person(oidc::person_of_discord(all));
  check_person(oidc::person_of_userinfo(all, "person-1", oidc::VerifiedSpelling::json_boolean));
  const std::string name = oidc::name_of_apple_user(all);
  must_hold(text::is_utf8(name) && !text::has_control_character(name), "a name is one line");
}

}  // namespace keyward::fuzz
