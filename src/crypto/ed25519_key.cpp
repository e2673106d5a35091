// Ed25519 (RFC 8032) by libsodium, and the one shape of its PKCS#8 (RFC 8410 §7).
#include <algorithm>
#include <array>

#include "crypto/digest.hpp"
#include "crypto/key_backend.hpp"
#include "crypto/sodium.hpp"

namespace keyward::crypto {

namespace {

constexpr std::size_t seed_bytes = crypto_sign_SEEDBYTES;
constexpr std::size_t public_bytes = crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t private_bytes = crypto_sign_SECRETKEYBYTES;
constexpr std::size_t signature_bytes = crypto_sign_BYTES;

/// SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING of 32 bytes } }, less
/// those bytes.
constexpr std::array<std::uint8_t, 16> pkcs8_head{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                  0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};

class EdPublic final : public PublicKey::Backend {
 public:
  using Backend::Backend;
  [[nodiscard]] bool verify(BytesView message, BytesView signature) const override {
    return signature.size() == signature_bytes &&
           crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                       std::get<EdNumbers>(numbers()).x.data()) == 0;
  }
};

class EdPrivate final : public PrivateKey::Backend {
 public:
  explicit EdPrivate(BytesView seed) : key_(Secret::of_size(private_bytes)), x_(public_bytes) {
    crypto_sign_seed_keypair(x_.data(), key_.mutable_bytes().data(), seed.data());
  }
  [[nodiscard]] PublicNumbers public_numbers() const override { return EdNumbers{x_}; }
  [[nodiscard]] Secret to_pkcs8() const override {
    auto der = Secret::of_size(pkcs8_head.size() + seed_bytes);
    const auto out = der.mutable_bytes();
    std::ranges::copy(pkcs8_head, out.begin());
    std::ranges::copy(key_.bytes().first(seed_bytes), out.subspan(pkcs8_head.size()).begin());
    return der;
  }
  [[nodiscard]] std::optional<Bytes> try_sign(BytesView message) const override {
    Bytes signature(signature_bytes);
    if (crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                             key_.bytes().data()) != 0) {
      return std::nullopt;
    }
    return signature;
  }

 private:
  Secret key_;  // libsodium's form: the seed, then the public key
  Bytes x_;
};

}  // namespace

Result<PublicBackend> make_ed_public(EdNumbers numbers) {
  prepare_sodium();
  if (numbers.x.size() != public_bytes) return bad_key("An Ed25519 public key has 32 bytes");
  if (crypto_core_ed25519_is_valid_point(numbers.x.data()) != 1) {
    return bad_key("The Ed25519 public key is not a sound point of the curve");
  }
  return std::make_shared<EdPublic>(std::move(numbers));
}

Result<PrivateBackend> make_ed_private(const PrivateNumbers& numbers) {
  prepare_sodium();
  if (numbers.d.size() != seed_bytes) return bad_key("An Ed25519 private key has 32 bytes");
  auto key = std::make_shared<const EdPrivate>(numbers.d.bytes());
  if (key->public_numbers() != numbers.public_numbers) {
    return bad_key("The private part of the key does not fit its public part");
  }
  return key;
}

Result<PrivateBackend> make_ed_private(const Secret& pkcs8) {
  prepare_sodium();
  const auto der = pkcs8.bytes();
  if (der.size() != pkcs8_head.size() + seed_bytes ||
      !std::ranges::equal(der.first(pkcs8_head.size()), pkcs8_head)) {
    return bad_key("Not the PKCS#8 form of an Ed25519 key");
  }
  return std::make_shared<const EdPrivate>(der.subspan(pkcs8_head.size()));
}

PrivateBackend generate_ed_private() {
  prepare_sodium();
  auto seed = Secret::of_size(seed_bytes);
  randombytes_buf(seed.mutable_bytes().data(), seed.size());
  return std::make_shared<const EdPrivate>(seed.bytes());
}

}  // namespace keyward::crypto
