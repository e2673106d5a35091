#include "crypto/digest.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyward::crypto {
namespace {

TEST(Digest, fips180_examples_of_abc) {
  const auto abc = as_bytes("abc");
  EXPECT_EQ(to_hex(sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(
      to_hex(sha384(abc)),
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(sha512(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
            "454d4423643ce8"
            "0e2a9ac94fa54ca49f");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, rfc4231_case_2_hmac) {
  const auto key = as_bytes("Jefe");
  const auto message = as_bytes("what do ya want for nothing?");
  EXPECT_EQ(to_hex(hmac_sha256(key, message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha512(key, message)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
            "caeab1a34d4a6"
            "b4b636e070a38bce737");
}

TEST(Digest, rfc4231_case_6_hmac_key_longer_than_a_block) {
  const Bytes key(131, 0xaa);
  EXPECT_EQ(to_hex(hmac_sha256(key, as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Digest, an_hmac_key_is_of_its_call_alone) {
  const auto with = [](std::string_view key) { return to_hex(hmac_sha256(as_bytes(key), {})); };
  constexpr auto without_key = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(with(""), without_key);
  EXPECT_NE(with("Jefe"), without_key);
  EXPECT_EQ(with(""), without_key) << "the key of the call before was used";
  EXPECT_EQ(to_hex(hmac_sha256({}, {})), without_key);
}

TEST(Digest, rfc5869_case_1_hkdf_first_32_bytes) {
  const Bytes input_key(22, 0x0b);
  const Bytes salt{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Bytes info{0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
  EXPECT_EQ(to_hex(hkdf_sha256(input_key, salt, info).bytes()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
}

TEST(Digest, J16_constant_time_equal_compares_all_of_both) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("secret", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", "secreT"));
  EXPECT_FALSE(constant_time_equal("Secret", "secret"));
  EXPECT_FALSE(constant_time_equal("secret", "secret "));
  EXPECT_FALSE(constant_time_equal("secret", ""));
  EXPECT_FALSE(constant_time_equal(std::string_view{"a\0b", 3}, std::string_view{"a\0c", 3}));
}

}  // namespace
}  // namespace keyward::crypto
