// ID tokens (protocol/oidc/id_token, person): claims of our choice, as a provider with a good key would sign
// them.
//
// The first line is the header's `typ`, what follows is the payload, which is signed here: the signature is
// good, all else may be anything. Must hold: what is accepted names our client, our issuer and this login's
// nonce, has not expired and is not old; a person's address is one, and verified only where the provider said
// so.
#include "protocol/oidc/id_token.hpp"

#include "keys.hpp"
#include "protocol/jose/jws.hpp"
#include "protocol/jose/jwt.hpp"
#include "protocol/oidc/person.hpp"
#include "text/email.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

using namespace protocol;

const Time now = from_unix_s(1'764'000'000);

void check_person(const text::json::object& claims, oidc::VerifiedSpelling spelling) {
  const auto person = oidc::person_of(claims, spelling);
  if (!person) {
    must_hold(text::is_utf8(person.error().detail), "a refusal is UTF-8");
    return;
  }
  must_hold(!person->subject.empty() && person->subject.size() <= limits::provider_subject_max_bytes,
            "a subject fits");
  must_hold(person->email.empty() || text::parse_email(person->email), "an address is one");
  must_hold(!(person->email_verified && person->email_denied), "an address is verified or denied");
  must_hold(text::is_utf8(person->name) && !text::has_control_character(person->name), "a name is one line");
  if (person->email_verified) {
    const bool is_microsoft = spelling == oidc::VerifiedSpelling::microsoft;
    const auto* said = claims.if_contains(is_microsoft ? "xms_edov" : "email_verified");
    must_hold(said != nullptr, "verified is what was called so");
    const auto is = [&](const auto& value) { return *said == text::json::value(value); };
    const bool as_text =
        spelling != oidc::VerifiedSpelling::json_boolean && (is("true") || (is_microsoft && is("1")));
    must_hold((is(true) || as_text || (is_microsoft && is(1))), "in the words that mean it");
  }
  const oidc::Person once = oidc::merged(*person, *person);
  must_hold(once == *person, "a person merged with itself is the same person");
}

}  // namespace

KEYWARD_FUZZ_TARGET(id_tokens) {
  static const jose::SigningKey key = ed25519_key();
  static const jose::KeySet keys = key_set_of({key});
  static const std::vector<jose::Algorithm> algorithms{jose::Algorithm::eddsa};

  Input given{input};
  const std::string_view type = given.line();
  const std::string_view payload = given.rest();
  if (!text::is_utf8(type)) return;
  const oidc::IdTokenExpectation expected{.issuer = "https://idp.example",
                                          .client_id = "client",
                                          .nonce = "nonce",
                                          .algorithms = algorithms,
                                          .now = now,
                                          .access_token = "access",
                                          .tenant = {}};
  const std::string token = jose::sign_compact(payload, key, type);
  const auto checked = oidc::verify_id_token(token, keys, expected);
  if (!checked) {
    must_hold(text::is_utf8(checked.error().detail) && !jose::to_word(checked.error().reason).empty(),
              "a refusal has its word");
    return;
  }
  const auto& claims = checked->claims;
  must_hold(claims.at("iss").as_string() == expected.issuer, "the issuer is ours");
  must_hold(claims.at("nonce").as_string() == expected.nonce, "the nonce is this login's");
  const auto audience = jose::get_audience(claims);
  must_hold(audience && std::ranges::all_of(*audience, [](const auto& each) { return each == "client"; }),
            "the audience is our client and nobody beside it");
  must_hold(jose::get_time(claims, "exp").value() > now - limits::token_clock_skew, "it has not expired");
  must_hold(jose::get_time(claims, "iat").value() + limits::provider_token_age_max >= now, "it is not old");
  must_hold(!checked->subject.empty() && claims.at("sub").as_string() == checked->subject,
            "it has a subject");
  must_hold(!oidc::verify_id_token(token, jose::KeySet{}, expected), "without the key nothing verifies");

  using enum oidc::VerifiedSpelling;
  for (const auto spelling : {json_boolean, apple, microsoft}) check_person(claims, spelling);
}

}  // namespace keyward::fuzz
