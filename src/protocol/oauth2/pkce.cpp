#include "protocol/oauth2/pkce.hpp"

#include <algorithm>

#include "crypto/digest.hpp"
#include "protocol/oauth2/characters.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::oauth2 {

namespace {

constexpr std::size_t verifier_min_characters = 43;  // §4.1
constexpr std::size_t verifier_max_characters = 128;

}  // namespace

std::string make_verifier(Random& random) { return text::to_base64url(random.bytes<32>()); }

std::string challenge_s256(std::string_view verifier) {
  return text::to_base64url(crypto::sha256(as_bytes(verifier)));
}

bool is_verifier(std::string_view text) {
  return text.size() >= verifier_min_characters && text.size() <= verifier_max_characters &&
         std::ranges::all_of(text, is_unreserved);
}

bool is_challenge(std::string_view text) {
  const auto bytes = text::parse_base64url(text);
  return bytes && bytes->size() == crypto::Sha256{}.size();
}

bool verifies(std::string_view verifier, std::string_view challenge) {
  return is_verifier(verifier) && crypto::constant_time_equal(challenge_s256(verifier), challenge);
}

}  // namespace keyward::protocol::oauth2
