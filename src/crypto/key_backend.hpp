// What a key is made of. For the .cpp files of crypto/ only: evp_key.cpp has RSA and P-256 by OpenSSL,
// ed25519_key.cpp has Ed25519 by libsodium (whose verifying refuses low-order points and unreduced scalars,
// and needs no context).
#pragma once

#include <optional>

#include "crypto/signing_key.hpp"

namespace keyward::crypto {

class PublicKey::Backend {
 public:
  explicit Backend(PublicNumbers numbers) : numbers_(std::move(numbers)) {}
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  [[nodiscard]] const PublicNumbers& numbers() const { return numbers_; }
  [[nodiscard]] virtual bool verify(BytesView message, BytesView signature) const = 0;

 private:
  PublicNumbers numbers_;
};

class PrivateKey::Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;
  [[nodiscard]] virtual PublicNumbers public_numbers() const = 0;
  [[nodiscard]] virtual Secret to_pkcs8() const = 0;
  /// Nothing when the key is no good, which only a key made from foreign numbers can be.
  [[nodiscard]] virtual std::optional<Bytes> try_sign(BytesView message) const = 0;
};

using PublicBackend = std::shared_ptr<const PublicKey::Backend>;
using PrivateBackend = std::shared_ptr<const PrivateKey::Backend>;

[[nodiscard]] inline std::unexpected<Error> bad_key(std::string message) {
  return fail(ErrorCode::invalid_input, std::move(message));
}

Result<PublicBackend> make_rsa_public(Algorithm algorithm, RsaNumbers numbers);
Result<PublicBackend> make_ec_public(EcNumbers numbers);
Result<PublicBackend> make_ed_public(EdNumbers numbers);

Result<PrivateBackend> make_evp_private(Algorithm algorithm, const PrivateNumbers& numbers);
Result<PrivateBackend> make_evp_private(Algorithm algorithm, const Secret& pkcs8);
PrivateBackend generate_evp_private(Algorithm algorithm);

Result<PrivateBackend> make_ed_private(const PrivateNumbers& numbers);
Result<PrivateBackend> make_ed_private(const Secret& pkcs8);
PrivateBackend generate_ed_private();

}  // namespace keyward::crypto
