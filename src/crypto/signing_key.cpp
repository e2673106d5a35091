#include "crypto/signing_key.hpp"

#include <stdexcept>

#include "crypto/key_backend.hpp"
#include "crypto/pem_key.hpp"

namespace keyward::crypto {

namespace {

constexpr const char* does_not_fit = "The private part of the key does not fit its public part";

Result<PublicBackend> make_public(Algorithm algorithm, PublicNumbers numbers) {
  switch (algorithm) {
    case Algorithm::es256:
      if (auto* ec = std::get_if<EcNumbers>(&numbers)) return make_ec_public(std::move(*ec));
      break;
    case Algorithm::eddsa:
      if (auto* ed = std::get_if<EdNumbers>(&numbers)) return make_ed_public(std::move(*ed));
      break;
    case Algorithm::rs256:
    case Algorithm::ps256:
      if (auto* rsa = std::get_if<RsaNumbers>(&numbers)) return make_rsa_public(algorithm, std::move(*rsa));
      break;
    case Algorithm::hs256:
      break;
  }
  return bad_key("The algorithm does not fit the type of the key");
}

}  // namespace

Result<PublicKey> PublicKey::from_numbers(Algorithm algorithm, PublicNumbers numbers) {
  auto backend = make_public(algorithm, std::move(numbers));
  if (!backend) return fail_from(backend);
  return PublicKey{algorithm, std::move(*backend)};
}

const PublicNumbers& PublicKey::numbers() const { return backend_->numbers(); }

bool PublicKey::verify(BytesView message, BytesView signature) const {
  return backend_->verify(message, signature);
}

Result<PrivateKey> PrivateKey::from_backend(Algorithm algorithm, PrivateBackend backend) {
  auto public_key = PublicKey::from_numbers(algorithm, backend->public_numbers());
  if (!public_key) return fail_from(public_key);
  return PrivateKey{std::move(*public_key), std::move(backend)};
}

PrivateKey PrivateKey::generate(Algorithm algorithm) {
  if (algorithm == Algorithm::hs256) throw std::invalid_argument("HS256 has a MacKey, not a PrivateKey");
  auto key = from_backend(
      algorithm, algorithm == Algorithm::eddsa ? generate_ed_private() : generate_evp_private(algorithm));
  if (!key) throw std::runtime_error("a generated key is not sound: " + key.error().message);
  return std::move(*key);
}

Result<PrivateKey> PrivateKey::from_numbers(Algorithm algorithm, const PrivateNumbers& numbers) {
  // The public part first: it tells which numbers there must be.
  auto public_key = PublicKey::from_numbers(algorithm, numbers.public_numbers);
  if (!public_key) return fail_from(public_key);
  auto backend =
      algorithm == Algorithm::eddsa ? make_ed_private(numbers) : make_evp_private(algorithm, numbers);
  if (!backend) return fail_from(backend);
  PrivateKey key{std::move(*public_key), std::move(*backend)};
  if (!key.fits_its_public_part()) return bad_key(does_not_fit);
  return key;
}

Result<PrivateKey> PrivateKey::from_pkcs8(Algorithm algorithm, const Secret& der) {
  if (algorithm == Algorithm::hs256) return bad_key("HS256 has no private key");
  auto backend = algorithm == Algorithm::eddsa ? make_ed_private(der) : make_evp_private(algorithm, der);
  if (!backend) return fail_from(backend);
  return from_backend(algorithm, std::move(*backend));
}

Result<PrivateKey> PrivateKey::from_pem(Algorithm algorithm, const Secret& pem) {
  const auto der = pkcs8_of_pem(pem);
  if (!der) return std::unexpected(der.error());
  auto key = from_pkcs8(algorithm, *der);
  if (key && !key->fits_its_public_part()) return bad_key(does_not_fit);
  return key;
}

bool PrivateKey::fits_its_public_part() const {
  constexpr std::string_view message = "does the private part fit the public part?";
  const auto signature = backend_->try_sign(as_bytes(message));
  return signature && public_key_.verify(as_bytes(message), *signature);
}

Secret PrivateKey::to_pkcs8() const { return backend_->to_pkcs8(); }

Bytes PrivateKey::sign(BytesView message) const {
  auto signature = backend_->try_sign(message);
  if (!signature) throw std::runtime_error("signing failed");
  return std::move(*signature);
}

}  // namespace keyward::crypto
