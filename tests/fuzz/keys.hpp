// Keys that the targets sign with: made from fixed numbers, so that an input means the same in every run.
#pragma once

#include <vector>

#include "crypto/digest.hpp"
#include "fuzz.hpp"
#include "protocol/jose/jwk.hpp"
#include "text/base64url.hpp"

namespace keyward::fuzz {

/// An HS256 key whose bytes nobody has written into an input.
inline protocol::jose::SigningKey mac_key(std::string_view kid) {
  const auto bytes = crypto::sha256(as_bytes("a secret of the fuzz targets"));
  return {std::string{kid}, crypto::MacKey::from_bytes(Secret{BytesView{bytes}}).value()};
}

/// RFC 8037 appendix A.1, RFC 7515 appendix A.3: keys that everybody knows.
inline protocol::jose::SigningKey ed25519_key() {
  return protocol::jose::parse_signing_key(
             Secret{std::string_view{R"({"kty":"OKP","crv":"Ed25519","kid":"ed",)"
                                     R"("d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
                                     R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"}})
      .value();
}
inline protocol::jose::SigningKey p256_key() {
  return protocol::jose::parse_signing_key(
             Secret{std::string_view{R"({"kty":"EC","crv":"P-256","kid":"es",)"
                                     R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                     R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",)"
                                     R"("d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})"}})
      .value();
}

inline protocol::jose::KeySet key_set_of(const std::vector<protocol::jose::SigningKey>& keys) {
  protocol::jose::KeySet set;
  for (const auto& key : keys) set.add(key.verification_key());
  return set;
}

}  // namespace keyward::fuzz
