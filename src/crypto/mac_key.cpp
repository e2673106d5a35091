#include <openssl/x509.h>

#include <algorithm>

#include "crypto/digest.hpp"
#include "crypto/key_backend.hpp"
#include "crypto/openssl.hpp"

namespace keyward::crypto {

namespace {

/// What an "RSA public key as HMAC secret" attack hands in (J11): text that everybody may have is no secret.
bool looks_public(BytesView bytes) {
  const auto text = as_text(bytes);
  if (text.find("-----BEGIN ") != std::string_view::npos) return true;
  if (text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-")) return true;
  if (text.find('{') != std::string_view::npos && text.find("\"kty\"") != std::string_view::npos) return true;

  const OpensslErrorMark mark;
  const auto* at = bytes.data();
  const EvpKey spki{d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes.size()))};
  at = bytes.data();
  const std::unique_ptr<X509, FreeWith<&X509_free>> certificate{
      d2i_X509(nullptr, &at, static_cast<long>(bytes.size()))};
  return spki != nullptr || certificate != nullptr;
}

}  // namespace

MacKey MacKey::generate(Random& random) {
  auto bytes = Secret::of_size(hmac_key_min_bytes);
  random.fill(bytes.mutable_bytes());
  return MacKey{std::move(bytes)};
}

Result<MacKey> MacKey::from_bytes(const Secret& bytes) {
  if (bytes.size() < hmac_key_min_bytes) return bad_key("An HS256 key has at least 32 bytes");
  if (bytes.size() > hmac_key_max_bytes) return bad_key("An HS256 key has at most 1024 bytes");
  if (looks_public(bytes.bytes())) return bad_key("A public key or certificate cannot be an HS256 key");
  return MacKey{bytes.copy()};
}

Bytes MacKey::sign(BytesView message) const {
  const auto code = hmac_sha256(bytes_->bytes(), message);
  return {code.begin(), code.end()};
}

bool MacKey::verify(BytesView message, BytesView signature) const {
  return constant_time_equal(hmac_sha256(bytes_->bytes(), message), signature);
}

}  // namespace keyward::crypto
