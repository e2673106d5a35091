// base64url (text/base64url) and the spellings of base64 in stored password hashes
// (crypto/password_encoding).
//
// Must hold: what is accepted, encoded again, is the very text; bytes encoded and read are the same bytes.
#include "text/base64url.hpp"

#include "crypto/password_encoding.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {

KEYWARD_FUZZ_TARGET(base64url) {
  const std::string_view text = as_text(input);
  if (const auto bytes = text::parse_base64url(text)) {
    must_hold(text::to_base64url(*bytes) == text, "each byte string has one spelling");
  }
  const auto back = text::parse_base64url(text::to_base64url(input));
  must_hold(back && std::ranges::equal(*back, input), "bytes survive");

  if (const auto bytes = crypto::parse_base64(text, crypto::Base64::unpadded)) {
    must_hold(crypto::to_base64_unpadded(*bytes) == text, "so it is without padding");
  }
  if (const auto bytes = crypto::parse_base64(text, crypto::Base64::padded)) {
    must_hold(crypto::to_base64_secret(*bytes).text() == text, "and with it");
  }
  if (const auto bytes = crypto::parse_base64(text, crypto::Base64::adapted)) {
    std::string adapted = crypto::to_base64_unpadded(*bytes);
    std::ranges::replace(adapted, '+', '.');
    must_hold(adapted == text, "and in passlib's spelling");
  }
  if (const auto bytes = crypto::parse_crypt64_bytes(text)) {
    must_hold(bytes->size() == text.size() * 3 / 4, "four characters are three bytes");
  }
  if (const auto number = crypto::parse_number(text)) {
    must_hold(std::to_string(*number) == text, "each number has one spelling");
  }
}

}  // namespace keyward::fuzz
