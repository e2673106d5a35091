// JSON Web Signatures (protocol/jose/jws) and claims (jwt, access_token): from whoever sends a token.
//
// The first line is a token from outside; what follows is a payload that we sign, and the last bytes say
// where the signed token is damaged. Must hold: a token is read in one spelling only; one that was not made
// here never verifies; ours verifies with its payload, and with one byte changed it never does.
#include "protocol/jose/jws.hpp"

#include "keys.hpp"
#include "protocol/jose/access_token.hpp"
#include "protocol/jose/jwt.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {
namespace {

using namespace protocol::jose;

const std::vector<SigningKey>& signing_keys() {
  static const std::vector<SigningKey> keys{mac_key("mac"), ed25519_key()};
  return keys;
}
const KeySet& key_set() {
  static const KeySet set = key_set_of(signing_keys());
  return set;
}

/// Keys of ours whose private half is in no input.
const KeySet& secret_keys() {
  static const KeySet set = [] {
    KeySet made;
    made.add(mac_key("mac").verification_key());
    return made;
  }();
  return set;
}

void check_foreign(std::string_view token) {
  const auto parsed = parse_compact(token);
  if (!parsed) {
    must_hold(text::is_utf8(parsed.error().detail), "a refusal is UTF-8");
    must_hold(!verify_compact(token, key_set()), "what cannot be read does not verify");
    return;
  }
  must_hold(is_inside(parsed->signing_input, token), "what is signed lies within the token");
  must_hold(std::string{parsed->signing_input} + "." + text::to_base64url(parsed->signature) == token,
            "a token has one spelling");
  must_hold(parsed->signing_input.ends_with("." + text::to_base64url(as_bytes(parsed->payload))),
            "its payload, too");
  must_hold(!verify_compact(token, secret_keys()), "a signature that was not made does not verify");
  must_hold(!verify_access_token(
                token, secret_keys(),
                {.issuer = "https://id.example", .audience = "app", .now = from_unix_s(1'764'000'000)}),
            "nor is it an access token");
}

void check_own(std::string_view payload, const SigningKey& key, std::size_t at, std::uint8_t flip) {
  const std::string token = sign_compact(payload, key, "at+jwt");
  const auto verified = verify_compact(token, key_set());
  must_hold(verified && verified->payload() == payload, "what we sign verifies, with its payload");
  must_hold(verified->kid() == key.kid() && verified->algorithm() == key.algorithm(), "by its key");
  if (const auto claims = parse_claims(verified->payload())) {
    for (const std::string_view name : {"exp", "iat", "nbf"}) {
      if (const auto time = get_time(*claims, name)) {
        must_hold(time->time_since_epoch().count() >= 0 && !to_rfc3339(*time).starts_with('-'),
                  "a time is a time");
      }
    }
    (void)get_audience(*claims);
    (void)get_text(*claims, "sub");
    (void)check_expiry(*claims, from_unix_s(1'764'000'000));
  }
  std::string damaged = token;
  damaged[at % damaged.size()] ^= static_cast<char>(flip == 0 ? 1 : flip);
  must_hold(!verify_compact(damaged, key_set()), "a token with one byte changed does not verify");
}

}  // namespace

KEYWARD_FUZZ_TARGET(jws) {
  Input given{input};
  const std::size_t at = given.below(4096);
  const std::uint8_t flip = given.byte();
  const std::size_t key = given.below(signing_keys().size());
  check_foreign(given.line());
  const std::string_view payload = given.text(4096);
  check_own(payload, signing_keys()[key], at, flip);
}

}  // namespace keyward::fuzz
