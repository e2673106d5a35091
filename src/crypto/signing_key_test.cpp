#include "crypto/signing_key.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "base/free_with.hpp"
#include "crypto/system_random.hpp"

namespace keyward::crypto {
namespace {

constexpr std::string_view message = "the message";

/// RSA keys take long to make: one of each for the whole program.
const PrivateKey& key_of(Algorithm algorithm) {
  static const std::vector<PrivateKey> keys = [] {
    std::vector<PrivateKey> made;
    for (const auto each : {Algorithm::es256, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256}) {
      made.push_back(PrivateKey::generate(each));
    }
    return made;
  }();
  return *std::ranges::find(keys, algorithm, &PrivateKey::algorithm);
}

struct EveryKey : testing::TestWithParam<Algorithm> {
  const PrivateKey& key = key_of(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Algorithms, EveryKey,
                         testing::Values(Algorithm::es256, Algorithm::eddsa, Algorithm::rs256,
                                         Algorithm::ps256));

TEST_P(EveryKey, verifies_what_it_signed_and_nothing_else) {
  const auto signature = key.sign(as_bytes(message));
  EXPECT_TRUE(key.public_key().verify(as_bytes(message), signature));
  EXPECT_FALSE(key.public_key().verify(as_bytes("another message"), signature));
  EXPECT_FALSE(key.public_key().verify({}, signature));
  EXPECT_FALSE(PrivateKey::generate(Algorithm::es256).public_key().verify(as_bytes(message), signature));
  EXPECT_EQ(ERR_peek_error(), 0U)
      << "a refusal stays in OpenSSL's queue and surfaces in somebody else's call";
}

TEST_P(EveryKey, a_changed_cut_or_longer_signature_is_refused) {
  const auto signature = key.sign(as_bytes(message));
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    auto changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(key.public_key().verify(as_bytes(message), changed)) << i;
    EXPECT_FALSE(key.public_key().verify(as_bytes(message), BytesView{signature}.first(i))) << i;
  }
  auto longer = signature;
  longer.push_back(0);
  EXPECT_FALSE(key.public_key().verify(as_bytes(message), longer));
  longer.insert(longer.begin(), 0);
  EXPECT_FALSE(key.public_key().verify(as_bytes(message), longer));
  for (const std::uint8_t byte : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{255}}) {
    EXPECT_FALSE(key.public_key().verify(as_bytes(message), Bytes(signature.size(), byte)));
  }
}

TEST_P(EveryKey, survives_pkcs8_and_its_public_numbers) {
  const auto signature = key.sign(as_bytes(message));
  const auto again = PrivateKey::from_pkcs8(GetParam(), key.to_pkcs8());
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->public_key().verify(as_bytes(message), signature));
  EXPECT_TRUE(key.public_key().verify(as_bytes(message), again->sign(as_bytes(message))));
  const auto numbers = PublicKey::from_numbers(GetParam(), key.public_key().numbers());
  ASSERT_TRUE(numbers);
  EXPECT_TRUE(numbers->verify(as_bytes(message), signature));
  EXPECT_EQ(numbers->numbers(), key.public_key().numbers());
}

TEST_P(EveryKey, pkcs8_of_another_kind_or_spoiled_is_refused) {
  const auto other = GetParam() == Algorithm::es256 ? Algorithm::eddsa : Algorithm::es256;
  EXPECT_FALSE(PrivateKey::from_pkcs8(GetParam(), key_of(other).to_pkcs8()));
  EXPECT_FALSE(PrivateKey::from_pkcs8(GetParam(), Secret{}));
  EXPECT_FALSE(PrivateKey::from_pkcs8(GetParam(), Secret{"not a key"}));
  const auto der = key.to_pkcs8();
  EXPECT_FALSE(PrivateKey::from_pkcs8(GetParam(), Secret{der.bytes().first(der.size() - 1)}));
  Bytes longer{der.bytes().begin(), der.bytes().end()};
  longer.push_back(0);
  EXPECT_FALSE(PrivateKey::from_pkcs8(GetParam(), Secret{BytesView{longer}}));
  EXPECT_FALSE(PrivateKey::from_pkcs8(Algorithm::hs256, der));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST_P(EveryKey, one_object_serves_several_threads) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i, &good] {
      const auto text = std::string{"message "} + std::to_string(i);
      for (int round = 0; round < 20; ++round) {
        good += key.public_key().verify(as_bytes(text), key.sign(as_bytes(text))) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

TEST(SigningKey, J8_rs256_and_ps256_do_not_verify_each_other) {
  const auto& rs256 = key_of(Algorithm::rs256);
  const auto as_ps256 = PublicKey::from_numbers(Algorithm::ps256, rs256.public_key().numbers());
  ASSERT_TRUE(as_ps256);
  EXPECT_FALSE(as_ps256->verify(as_bytes(message), rs256.sign(as_bytes(message))));
}

TEST(SigningKey, J8_numbers_of_another_type_than_the_algorithm_are_refused) {
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::rs256, key_of(Algorithm::es256).public_key().numbers()));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::es256, key_of(Algorithm::eddsa).public_key().numbers()));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, key_of(Algorithm::rs256).public_key().numbers()));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::hs256, key_of(Algorithm::rs256).public_key().numbers()));
  EXPECT_THROW(PrivateKey::generate(Algorithm::hs256), std::invalid_argument);
}

TEST(SigningKey, J11_ec_points_off_the_curve_are_refused) {
  const auto good = std::get<EcNumbers>(key_of(Algorithm::es256).public_key().numbers());
  auto off = good;
  off.y.back() ^= 1;
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::es256, off));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::es256, EcNumbers{Bytes(32), Bytes(32)}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::es256, EcNumbers{Bytes(32, 0xff), Bytes(32, 0xff)}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::es256, EcNumbers{}));
  EXPECT_FALSE(
      PublicKey::from_numbers(Algorithm::es256, EcNumbers{Bytes(good.x.begin(), good.x.end() - 1), good.y}));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(SigningKey, J11_rsa_under_2048_bits_or_with_a_bad_exponent_is_refused) {
  const auto good = std::get<RsaNumbers>(key_of(Algorithm::rs256).public_key().numbers());
  const auto accepted = [](const RsaNumbers& numbers) {
    return PublicKey::from_numbers(Algorithm::rs256, numbers).has_value();
  };
  EXPECT_TRUE(accepted(good));
  auto small = Bytes(256, 0xff);
  small.front() = 0x7f;  // 2047 bits
  EXPECT_FALSE(accepted({small, good.exponent}));
  EXPECT_TRUE(accepted({Bytes(256, 0xff), good.exponent}));
  EXPECT_FALSE(accepted({Bytes(128, 0xff), good.exponent}));
  EXPECT_FALSE(accepted({Bytes(1025, 0xff), good.exponent}));
  EXPECT_FALSE(accepted({good.modulus, {}}));
  EXPECT_FALSE(accepted({good.modulus, {1}}));
  EXPECT_FALSE(accepted({good.modulus, {3}}));
  EXPECT_FALSE(accepted({good.modulus, {1, 0, 0}}));
  EXPECT_FALSE(accepted({good.modulus, {0, 1, 0, 1}}));
  EXPECT_FALSE(accepted({good.modulus, Bytes(9, 0xff)}));
  auto even = good;
  even.modulus.back() &= 0xfe;
  EXPECT_FALSE(accepted(even));
  auto padded = good;
  padded.modulus.insert(padded.modulus.begin(), 0);
  EXPECT_FALSE(accepted(padded));
}

TEST(SigningKey, J11_a_private_rsa_key_under_2048_bits_is_refused) {
  const std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>> small{EVP_RSA_gen(1024)};
  const std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>> info{
      EVP_PKEY2PKCS8(small.get())};
  Bytes der(static_cast<std::size_t>(i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr)));
  auto* at = der.data();
  ASSERT_EQ(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at), static_cast<int>(der.size()));
  const auto key = PrivateKey::from_pkcs8(Algorithm::rs256, Secret{BytesView{der}});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message, "An RSA key has at least 2048 bits");
}

TEST(SigningKey, J11_an_rsa_key_with_the_mark_of_roca_is_refused) {
  // k * M + 65537^a mod M, M being the product of the primes up to 167: computed apart, factors unknown.
  constexpr std::string_view hex =
      "800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000001b8f396988b6f620ae1469f6d3c"
      "ff24836866f89c0bd6ce8afb41a7aa73";
  Bytes modulus;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    modulus.push_back(static_cast<std::uint8_t>(std::stoul(std::string{hex.substr(i, 2)}, nullptr, 16)));
  }
  const Bytes exponent{1, 0, 1};
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::rs256, RsaNumbers{modulus, exponent}));
  modulus.back() ^= 2;
  EXPECT_TRUE(PublicKey::from_numbers(Algorithm::rs256, RsaNumbers{modulus, exponent}));
}

TEST(SigningKey, J11_ed25519_points_of_low_order_or_off_the_curve_are_refused) {
  Bytes one(32);
  one[0] = 1;
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, EdNumbers{one}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, EdNumbers{Bytes(32)}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, EdNumbers{Bytes(32, 0xff)}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, EdNumbers{Bytes(31, 9)}));
  EXPECT_FALSE(PublicKey::from_numbers(Algorithm::eddsa, EdNumbers{}));
}

TEST(SigningKey, a_private_part_that_does_not_fit_is_refused) {
  const auto& ec = key_of(Algorithm::es256).public_key().numbers();
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::es256, {ec, Secret{as_bytes(std::string(32, '\1'))}}));
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::es256, {ec, Secret{as_bytes(std::string(32, '\0'))}}));
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::es256, {ec, Secret{as_bytes(std::string(32, '\xff'))}}));
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::es256, {ec, Secret{}}));
  const auto& ed = key_of(Algorithm::eddsa).public_key().numbers();
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::eddsa, {ed, Secret{as_bytes(std::string(31, '\1'))}}));
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::eddsa, {ed, Secret{as_bytes(std::string(32, '\1'))}}));
  EXPECT_FALSE(
      PrivateKey::from_numbers(Algorithm::eddsa, {EdNumbers{}, Secret{as_bytes(std::string(32, '\1'))}}));
  const auto& rsa = key_of(Algorithm::rs256).public_key().numbers();
  EXPECT_FALSE(PrivateKey::from_numbers(Algorithm::rs256, {rsa, Secret{as_bytes(std::string(32, '\1'))}}));
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(MacKey, verifies_what_it_signed_and_nothing_else) {
  SystemRandom random;
  const auto key = MacKey::generate(random);
  auto signature = key.sign(as_bytes(message));
  EXPECT_EQ(signature.size(), 32);
  EXPECT_TRUE(key.verify(as_bytes(message), signature));
  EXPECT_FALSE(key.verify(as_bytes("another message"), signature));
  EXPECT_FALSE(key.verify(as_bytes(message), BytesView{signature}.first(31)));
  EXPECT_FALSE(key.verify(as_bytes(message), {}));
  signature[31] ^= 1;
  EXPECT_FALSE(key.verify(as_bytes(message), signature));
}

TEST(MacKey, J11_empty_short_and_public_keys_are_refused) {
  const auto accepted = [](std::string_view text) { return MacKey::from_bytes(Secret{text}).has_value(); };
  EXPECT_TRUE(accepted(std::string(32, 'k')));
  EXPECT_FALSE(accepted(""));
  EXPECT_FALSE(accepted(std::string(31, 'k')));
  EXPECT_TRUE(accepted(std::string(1024, 'k')));
  EXPECT_FALSE(accepted(std::string(1025, 'k')));
  EXPECT_FALSE(accepted("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"));
  EXPECT_FALSE(accepted("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJtq"));
  EXPECT_FALSE(accepted(R"({"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78"})"));
  // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §10.1), 44 bytes.
  EXPECT_FALSE(accepted(std::string{"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12} +
                        std::string(32, '\x19')));
}

}  // namespace
}  // namespace keyward::crypto
