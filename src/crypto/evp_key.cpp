// RSA and P-256 by OpenSSL 3's EVP interface. Every result is compared with 1 (J16).
//
// A key holds a context that is set up to sign or to verify, and each call works on a duplicate of it:
// setting one up looks the algorithm up under a lock, which costs as much as the rest of a call does.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <string>

#include "crypto/digest.hpp"
#include "crypto/key_backend.hpp"
#include "crypto/openssl.hpp"
#include "crypto/roca.hpp"

namespace keyward::crypto {

namespace {

constexpr std::size_t coordinate_bytes = 32;
constexpr std::size_t es256_signature_bytes = 2 * coordinate_bytes;
constexpr const char* p256_group = "prime256v1";
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<&ECDSA_SIG_free>>;

/// The list of OSSL_PARAMs that makes a key. It owns what they point at, in memory that is wiped.
class KeyParameters {
 public:
  void add_number(const char* name, BytesView big_endian) {
    auto& native = values_.emplace_back(big_endian);
    const auto bytes = native.mutable_bytes();
    if constexpr (std::endian::native == std::endian::little) std::ranges::reverse(bytes);
    list_.push_back(OSSL_PARAM_construct_BN(name, bytes.data(), bytes.size()));
  }
  void add_octets(const char* name, BytesView octets) {
    const auto bytes = values_.emplace_back(octets).mutable_bytes();
    list_.push_back(OSSL_PARAM_construct_octet_string(name, bytes.data(), bytes.size()));
  }
  void add_text(const char* name, const std::string& text) {
    // OpenSSL reads it as a C string: its zero comes along, uncounted.
    const auto bytes = values_.emplace_back(std::string_view{text.c_str(), text.size() + 1}).mutable_bytes();
    list_.push_back(
        OSSL_PARAM_construct_utf8_string(name, reinterpret_cast<char*>(bytes.data()), text.size()));
  }
  /// Nothing when OpenSSL will not have the numbers: a point that is not on the curve, for one.
  EvpKey make(const char* type, int selection) {
    list_.push_back(OSSL_PARAM_construct_end());
    const OpensslErrorMark mark;
    const EvpKeyContext context{
        require_object(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), "EVP_PKEY_CTX_new")};
    require_success(EVP_PKEY_fromdata_init(context.get()), "EVP_PKEY_fromdata_init");
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata(context.get(), &key, selection, list_.data()) != 1) key = nullptr;
    return EvpKey{key};
  }

 private:
  std::deque<Secret> values_;
  std::vector<OSSL_PARAM> list_;
};

void add_public(KeyParameters& parameters, const RsaNumbers& rsa) {
  parameters.add_number(OSSL_PKEY_PARAM_RSA_N, rsa.modulus);
  parameters.add_number(OSSL_PKEY_PARAM_RSA_E, rsa.exponent);
}

void add_public(KeyParameters& parameters, const EcNumbers& ec) {
  Bytes point{POINT_CONVERSION_UNCOMPRESSED};
  point.insert(point.end(), ec.x.begin(), ec.x.end());
  point.insert(point.end(), ec.y.begin(), ec.y.end());
  parameters.add_text(OSSL_PKEY_PARAM_GROUP_NAME, p256_group);
  parameters.add_octets(OSSL_PKEY_PARAM_PUB_KEY, point);
}

Bytes number_of(const EvpKey& key, const char* name, std::size_t padded_bytes = 0) {
  BIGNUM* raw = nullptr;
  require_success(EVP_PKEY_get_bn_param(key.get(), name, &raw), "EVP_PKEY_get_bn_param");
  const BigNumber number{raw};
  Bytes bytes(padded_bytes != 0 ? padded_bytes : static_cast<std::size_t>(BN_num_bytes(raw)));
  if (BN_bn2binpad(raw, bytes.data(), static_cast<int>(bytes.size())) < 0)
    throw_openssl_failure("BN_bn2binpad");
  return bytes;
}

void prepare_padding(EVP_PKEY_CTX* context, Algorithm algorithm) {
  require_success(EVP_PKEY_CTX_set_signature_md(context, sha256_algorithm()),
                  "EVP_PKEY_CTX_set_signature_md");
  if (algorithm == Algorithm::rs256) {
    require_success(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), "EVP_PKEY_CTX_set_rsa_padding");
  } else if (algorithm == Algorithm::ps256) {
    // RFC 7518 §3.5: MGF1 with the same hash, and a salt exactly as long as the hash.
    require_success(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING),
                    "EVP_PKEY_CTX_set_rsa_padding");
    require_success(EVP_PKEY_CTX_set_rsa_mgf1_md(context, sha256_algorithm()),
                    "EVP_PKEY_CTX_set_rsa_mgf1_md");
    require_success(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST),
                    "EVP_PKEY_CTX_set_rsa_pss_saltlen");
  }
}

EvpKeyContext make_context(const EvpKey& key) {
  return EvpKeyContext{
      require_object(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), "EVP_PKEY_CTX_new_from_pkey")};
}

EvpKeyContext make_verifier(const EvpKey& key, Algorithm algorithm) {
  auto context = make_context(key);
  require_success(EVP_PKEY_verify_init(context.get()), "EVP_PKEY_verify_init");
  prepare_padding(context.get(), algorithm);
  return context;
}

EvpKeyContext make_signer(const EvpKey& key, Algorithm algorithm) {
  auto context = make_context(key);
  require_success(EVP_PKEY_sign_init(context.get()), "EVP_PKEY_sign_init");
  prepare_padding(context.get(), algorithm);
  return context;
}

EvpKeyContext duplicate(const EvpKeyContext& context) {
  return EvpKeyContext{require_object(EVP_PKEY_CTX_dup(context.get()), "EVP_PKEY_CTX_dup")};
}

/// r || s to DER, which is what OpenSSL verifies. Empty for a wrong length, and for a zero that a faulty
/// library might take for a signature of everything (CVE-2022-21449).
Bytes es256_to_der(BytesView signature) {
  if (signature.size() != es256_signature_bytes) return {};
  const auto half = static_cast<int>(coordinate_bytes);
  BigNumber r{require_object(BN_bin2bn(signature.data(), half, nullptr), "BN_bin2bn")};
  BigNumber s{require_object(BN_bin2bn(signature.data() + coordinate_bytes, half, nullptr), "BN_bin2bn")};
  if (BN_is_zero(r.get()) == 1 || BN_is_zero(s.get()) == 1) return {};
  const EcdsaSignature pair{require_object(ECDSA_SIG_new(), "ECDSA_SIG_new")};
  require_success(ECDSA_SIG_set0(pair.get(), r.release(), s.release()), "ECDSA_SIG_set0");
  Bytes der(es256_signature_bytes + 16);
  auto* at = der.data();
  const int size_bytes = i2d_ECDSA_SIG(pair.get(), &at);
  if (size_bytes <= 0) throw_openssl_failure("i2d_ECDSA_SIG");
  der.resize(static_cast<std::size_t>(size_bytes));
  return der;
}

Bytes es256_from_der(BytesView der) {
  const auto* at = der.data();
  const EcdsaSignature pair{
      require_object(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), "d2i_ECDSA_SIG")};
  Bytes signature(es256_signature_bytes);
  const auto half = static_cast<int>(coordinate_bytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), signature.data(), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), signature.data() + coordinate_bytes, half) != half) {
    throw_openssl_failure("BN_bn2binpad");
  }
  return signature;
}

class EvpPublic final : public PublicKey::Backend {
 public:
  EvpPublic(Algorithm algorithm, const EvpKey& key, PublicNumbers numbers)
      : Backend(std::move(numbers)), algorithm_(algorithm), context_(make_verifier(key, algorithm)) {}

  [[nodiscard]] bool verify(BytesView message, BytesView signature) const override {
    if (algorithm_ != Algorithm::es256) {
      // RFC 8017 §8.1.2, §8.2.2, step 1: as long as the modulus, not merely of the same value.
      if (signature.size() != std::get<RsaNumbers>(numbers()).modulus.size()) return false;
      return verify_form(message, signature);
    }
    const auto der = es256_to_der(signature);
    return !der.empty() && verify_form(message, der);
  }

 private:
  [[nodiscard]] bool verify_form(BytesView message, BytesView signature) const {
    const auto hash = sha256(message);
    const OpensslErrorMark mark;
    const auto context = duplicate(context_);
    return EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.data(), hash.size()) == 1;
  }

  Algorithm algorithm_;
  EvpKeyContext context_;  // keeps the key alive; only duplicated
};

class EvpPrivate final : public PrivateKey::Backend {
 public:
  EvpPrivate(Algorithm algorithm, EvpKey key)
      : algorithm_(algorithm), key_(std::move(key)), context_(make_signer(key_, algorithm)) {}

  [[nodiscard]] PublicNumbers public_numbers() const override {
    if (algorithm_ == Algorithm::es256) {
      return EcNumbers{number_of(key_, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_bytes),
                       number_of(key_, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_bytes)};
    }
    return RsaNumbers{number_of(key_, OSSL_PKEY_PARAM_RSA_N), number_of(key_, OSSL_PKEY_PARAM_RSA_E)};
  }

  [[nodiscard]] Secret to_pkcs8() const override {
    const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<&PKCS8_PRIV_KEY_INFO_free>> info{
        require_object(EVP_PKEY2PKCS8(key_.get()), "EVP_PKEY2PKCS8")};
    const int size_bytes = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
    if (size_bytes <= 0) throw_openssl_failure("i2d_PKCS8_PRIV_KEY_INFO");
    auto der = Secret::of_size(static_cast<std::size_t>(size_bytes));
    auto* at = der.mutable_bytes().data();
    if (i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at) != size_bytes)
      throw_openssl_failure("i2d_PKCS8_PRIV_KEY_INFO");
    return der;
  }

  [[nodiscard]] std::optional<Bytes> try_sign(BytesView message) const override {
    const auto hash = sha256(message);
    const OpensslErrorMark mark;
    const auto context = duplicate(context_);
    std::size_t size_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
    Bytes signature(size_bytes);
    if (EVP_PKEY_sign(context.get(), signature.data(), &size_bytes, hash.data(), hash.size()) != 1) {
      return std::nullopt;
    }
    signature.resize(size_bytes);
    return algorithm_ == Algorithm::es256 ? es256_from_der(signature) : std::move(signature);
  }

 private:
  Algorithm algorithm_;
  EvpKey key_;
  EvpKeyContext context_;  // only duplicated
};

/// Error when the key is not of the algorithm's kind; asked only where numbers have not already decided it.
bool is_kind_of(const EvpKey& key, Algorithm algorithm) {
  if (algorithm != Algorithm::es256) return EVP_PKEY_is_a(key.get(), "RSA") == 1;
  std::array<char, 64> group{};
  std::size_t size = 0;
  return EVP_PKEY_is_a(key.get(), "EC") == 1 &&
         EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), &size) == 1 &&
         std::string_view{group.data(), size} == p256_group;
}

unsigned bit_count(BytesView big_endian) {
  if (big_endian.empty()) return 0;
  return static_cast<unsigned>((big_endian.size() - 1) * 8) +
         static_cast<unsigned>(std::bit_width(big_endian.front()));
}

Result<void> check_rsa(const RsaNumbers& rsa) {
  if (rsa.modulus.empty() || rsa.exponent.empty() || rsa.modulus.front() == 0 || rsa.exponent.front() == 0) {
    return bad_key("An RSA number is empty or begins with a zero");
  }
  const auto bits = bit_count(rsa.modulus);
  if (bits < rsa_min_bits) return bad_key("An RSA key has at least 2048 bits");
  if (bits > rsa_max_bits) return bad_key("An RSA key has at most 8192 bits");
  // FIPS 186-5 §A.1.1: odd and above 2^16; above 64 bits it only slows a verifier down.
  const auto exponent_bits = bit_count(rsa.exponent);
  if (exponent_bits < 17 || exponent_bits > 64 || (rsa.exponent.back() & 1U) == 0 ||
      (rsa.modulus.back() & 1U) == 0) {
    return bad_key("The RSA modulus or exponent is not sound");
  }
  if (has_roca_mark(rsa.modulus)) return bad_key("The RSA key can be factored (CVE-2017-15361)");
  return {};
}

}  // namespace

Result<PublicBackend> make_rsa_public(Algorithm algorithm, RsaNumbers numbers) {
  if (auto sound = check_rsa(numbers); !sound) return fail_from(sound);
  KeyParameters parameters;
  add_public(parameters, numbers);
  const auto key = parameters.make("RSA", EVP_PKEY_PUBLIC_KEY);
  if (!key) return bad_key("The RSA key is not sound");
  return std::make_shared<EvpPublic>(algorithm, key, std::move(numbers));
}

Result<PublicBackend> make_ec_public(EcNumbers numbers) {
  if (numbers.x.size() != coordinate_bytes || numbers.y.size() != coordinate_bytes) {
    return bad_key("A coordinate on P-256 has 32 bytes");
  }
  KeyParameters parameters;
  add_public(parameters, numbers);
  const auto key = parameters.make("EC", EVP_PKEY_PUBLIC_KEY);
  if (!key) return bad_key("The point is not on P-256");
  const OpensslErrorMark mark;
  if (EVP_PKEY_public_check(make_context(key).get()) != 1) return bad_key("The point is not on P-256");
  return std::make_shared<EvpPublic>(Algorithm::es256, key, std::move(numbers));
}

Result<PrivateBackend> make_evp_private(Algorithm algorithm, const PrivateNumbers& numbers) {
  KeyParameters parameters;
  if (algorithm == Algorithm::es256) {
    if (numbers.d.size() != coordinate_bytes) return bad_key("A private key on P-256 has 32 bytes");
    add_public(parameters, std::get<EcNumbers>(numbers.public_numbers));
    parameters.add_number(OSSL_PKEY_PARAM_PRIV_KEY, numbers.d.bytes());
  } else {
    add_public(parameters, std::get<RsaNumbers>(numbers.public_numbers));
    const std::array<std::pair<const char*, const Secret*>, 6> rows{
        {{OSSL_PKEY_PARAM_RSA_D, &numbers.d},
         {OSSL_PKEY_PARAM_RSA_FACTOR1, &numbers.p},
         {OSSL_PKEY_PARAM_RSA_FACTOR2, &numbers.q},
         {OSSL_PKEY_PARAM_RSA_EXPONENT1, &numbers.dp},
         {OSSL_PKEY_PARAM_RSA_EXPONENT2, &numbers.dq},
         {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, &numbers.qi}}};
    for (const auto& [name, value] : rows) {
      if (value->empty() || value->size() > rsa_max_bits / 8)
        return bad_key("A private RSA key has d, p, q, dp, dq, qi");
      parameters.add_number(name, value->bytes());
    }
  }
  auto key = parameters.make(algorithm == Algorithm::es256 ? "EC" : "RSA", EVP_PKEY_KEYPAIR);
  if (!key) return bad_key("The private key is not sound");
  return std::make_shared<const EvpPrivate>(algorithm, std::move(key));
}

Result<PrivateBackend> make_evp_private(Algorithm algorithm, const Secret& pkcs8) {
  const OpensslErrorMark mark;
  const auto der = pkcs8.bytes();
  const auto* at = der.data();
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<&PKCS8_PRIV_KEY_INFO_free>> info{
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size()))};
  EvpKey key{info && at == der.data() + der.size() ? EVP_PKCS82PKEY(info.get()) : nullptr};
  if (!key || !is_kind_of(key, algorithm)) return bad_key("Not the PKCS#8 form of a key for this algorithm");
  return std::make_shared<const EvpPrivate>(algorithm, std::move(key));
}

PrivateBackend generate_evp_private(Algorithm algorithm) {
  const std::size_t bits = rsa_generated_bits;
  EvpKey key{algorithm == Algorithm::es256 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", p256_group)
                                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits)};
  if (!key) throw_openssl_failure("EVP_PKEY_Q_keygen");
  return std::make_shared<const EvpPrivate>(algorithm, std::move(key));
}

}  // namespace keyward::crypto
