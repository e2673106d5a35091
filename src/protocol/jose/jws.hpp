// JSON Web Signature, compact serialisation only (RFC 7515 §3.1, §5; RFC 8725; RFC 7797 not supported).
//
// Threats and answers: `alg` chosen by the attacker, "none" (the key's own algorithm or nothing, J8); keys,
// links or extensions in the header (`jku jwk x5u x5c` are never read, any `crit`, `b64` or `zip` is refused,
// J9); two spellings of one token, duplicate members (strict base64url and JSON, J9, J10); size
// (limits::jws_max_bytes before any work, or what the caller says of another kind of token).
#pragma once

#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "protocol/jose/key_set.hpp"
#include "text/json.hpp"

namespace keyward::protocol::jose {

namespace json = text::json;

/// What a token says of itself, believed by nobody: for `keyward token inspect`, and the first step of
/// verifying.
struct UnverifiedJws {
  json::object header;
  std::string payload;
  Bytes signature;
  std::string_view signing_input;  // into the token that was parsed
};
/// Reasons: malformed.
Checked<UnverifiedJws> parse_compact(std::string_view token, std::size_t max_bytes = limits::jws_max_bytes);

/// A token whose signature was good. Only verify_compact makes one.
class VerifiedJws {
 public:
  [[nodiscard]] const json::object& header() const { return header_; }
  [[nodiscard]] const std::string& payload() const { return payload_; }
  /// The name of the key that verified it, whether or not the token had a `kid`.
  [[nodiscard]] const std::string& kid() const { return kid_; }
  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }

 private:
  VerifiedJws(json::object header, std::string payload, const VerificationKey& key)
      : header_(std::move(header)),
        payload_(std::move(payload)),
        kid_(key.kid()),
        algorithm_(key.algorithm()) {}
  friend Checked<VerifiedJws> verify_compact(std::string_view token, const KeySet& keys,
                                             std::size_t max_bytes);

  json::object header_;
  std::string payload_;
  std::string kid_;
  Algorithm algorithm_;
};

/// Reasons: malformed, critical_header, algorithm_mismatch, unknown_key, bad_signature.
Checked<VerifiedJws> verify_compact(std::string_view token, const KeySet& keys,
                                    std::size_t max_bytes = limits::jws_max_bytes);

/// `type` becomes `typ` when it is not empty; the key's `kid` likewise.
std::string sign_compact(std::string_view payload, const SigningKey& key, std::string_view type = {});

}  // namespace keyward::protocol::jose
