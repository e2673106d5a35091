// The keys that sign and verify, and nothing about how they are written in JSON (protocol/jose/jwk.hpp has
// that).
//
// RFC 7518 §3 (ES256, RS256, PS256, HS256), RFC 8037 §3.1 (EdDSA with Ed25519). Signatures are in the form of
// JWS. Threats: a key used with another algorithm than its own (answer: the algorithm is part of the key,
// J8); weak or malformed keys (answer: refused when they are made, so a key that exists is sound, J11); a
// public key taken for a MAC secret (answer: another type, and MacKey refuses what looks like a public key,
// J11). All keys are handles to something that never changes: copies are cheap, and several threads may use
// one at once.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"

namespace keyward::crypto {

enum class Algorithm : std::uint8_t { es256, eddsa, rs256, ps256, hs256 };

inline constexpr unsigned rsa_min_bits = 2048;  // RFC 7518 §3.3
inline constexpr unsigned rsa_max_bits = 8192;  // verifying beyond this costs more than a request may
inline constexpr unsigned rsa_generated_bits = 3072;
inline constexpr std::size_t hmac_key_min_bytes = 32;  // RFC 7518 §3.2
inline constexpr std::size_t hmac_key_max_bytes = 1024;

/// Big-endian, without leading zeros (RFC 7518 §6.3.1).
struct RsaNumbers {
  Bytes modulus;
  Bytes exponent;
  bool operator==(const RsaNumbers&) const = default;
};
/// Two coordinates of 32 bytes on P-256 (RFC 7518 §6.2.1).
struct EcNumbers {
  Bytes x;
  Bytes y;
  bool operator==(const EcNumbers&) const = default;
};
/// The 32 bytes of an Ed25519 public key (RFC 8037 §2).
struct EdNumbers {
  Bytes x;
  bool operator==(const EdNumbers&) const = default;
};
using PublicNumbers = std::variant<RsaNumbers, EcNumbers, EdNumbers>;

/// The private part beside it: d, p, q, dp, dq, qi (RFC 7518 §6.3.2), or d alone for the two curves.
struct PrivateNumbers {
  PublicNumbers public_numbers;
  Secret d;
  Secret p{}, q{}, dp{}, dq{}, qi{};  // RSA only
};

class PublicKey {
 public:
  /// Error `invalid_input`: numbers of another type than the algorithm's, RSA under 2048 bits or with a bad
  /// exponent, a point that is not on the curve or of low order, a wrong length.
  static Result<PublicKey> from_numbers(Algorithm algorithm, PublicNumbers numbers);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] const PublicNumbers& numbers() const;
  [[nodiscard]] bool verify(BytesView message, BytesView signature) const;

  class Backend;

 private:
  PublicKey(Algorithm algorithm, std::shared_ptr<const Backend> backend)
      : algorithm_(algorithm), backend_(std::move(backend)) {}
  friend class PrivateKey;

  Algorithm algorithm_;
  std::shared_ptr<const Backend> backend_;
};

class PrivateKey {
 public:
  /// Any algorithm but HS256 (std::invalid_argument: MacKey has that).
  static PrivateKey generate(Algorithm algorithm);
  /// Error `invalid_input` as PublicKey's, and when the private part does not fit the public one.
  static Result<PrivateKey> from_numbers(Algorithm algorithm, const PrivateNumbers& numbers);
  /// What to_pkcs8 gave. Error `invalid_input`: another kind of key than the algorithm's, or not a key.
  static Result<PrivateKey> from_pkcs8(Algorithm algorithm, const Secret& der);
  /// What others hand out (RFC 7468): one `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY` (RFC 5915), not
  /// encrypted. Error `invalid_input`, whose message says what it is instead; also as from_numbers.
  static Result<PrivateKey> from_pem(Algorithm algorithm, const Secret& pem);

  [[nodiscard]] Algorithm algorithm() const { return public_key_.algorithm(); }
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  /// PrivateKeyInfo (RFC 5208, RFC 8410) in DER, for sealing.
  [[nodiscard]] Secret to_pkcs8() const;
  [[nodiscard]] Bytes sign(BytesView message) const;

  class Backend;

 private:
  PrivateKey(PublicKey public_key, std::shared_ptr<const Backend> backend)
      : public_key_(std::move(public_key)), backend_(std::move(backend)) {}
  static Result<PrivateKey> from_backend(Algorithm algorithm, std::shared_ptr<const Backend> backend);
  [[nodiscard]] bool fits_its_public_part() const;

  PublicKey public_key_;
  std::shared_ptr<const Backend> backend_;
};

/// HS256. Whoever can verify can also sign: such a key never leaves the party that made it.
class MacKey {
 public:
  static MacKey generate(Random& random);
  /// Error `invalid_input`: under 32 or over 1024 bytes, or the text or DER of a public key, a certificate or
  /// a JWK.
  static Result<MacKey> from_bytes(const Secret& bytes);

  [[nodiscard]] static Algorithm algorithm() { return Algorithm::hs256; }
  [[nodiscard]] const Secret& bytes() const { return *bytes_; }
  [[nodiscard]] Bytes sign(BytesView message) const;
  [[nodiscard]] bool verify(BytesView message, BytesView signature) const;

 private:
  explicit MacKey(Secret bytes) : bytes_(std::make_shared<const Secret>(std::move(bytes))) {}
  std::shared_ptr<const Secret> bytes_;
};

}  // namespace keyward::crypto
