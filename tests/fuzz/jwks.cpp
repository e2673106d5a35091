// Sets of keys (protocol/jose/jwk): what a provider publishes.
//
// Must hold: the set that we would publish of it is read as the same keys, none is left out; there are no two
// keys of one name and algorithm; what is skipped is told in UTF-8.
#include "fuzz.hpp"
#include "protocol/jose/jwk.hpp"
#include "text/unicode.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(jwks) {
  using namespace protocol::jose;
  const auto set = parse_jwk_set(as_text(input));
  if (!set) {
    must_hold(text::is_utf8(set.error().message) && !set.error().message.empty(), "a refusal is a sentence");
    return;
  }
  for (const std::string& why : set->skipped)
    must_hold(text::is_utf8(why) && !why.empty(), "so is what was skipped");
  const auto again = parse_jwk_set(to_public_jwk_set(set->keys));
  must_hold(again && again->skipped.empty(), "a published set can be read whole");
  const auto& keys = set->keys.keys();
  must_hold(again->keys.keys().size() == keys.size(), "with all of its keys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    must_hold(again->keys.keys()[i].kid() == keys[i].kid(), "under their names");
    const auto chosen = set->keys.choose(keys[i].kid(), keys[i].algorithm());
    must_hold(chosen && *chosen == &keys[i], "a name and an algorithm choose one key");
  }
}

}  // namespace keyward::fuzz
