#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

#include "crypto/signing_key.hpp"

namespace keyward::crypto {
namespace {

using testing::HasSubstr;

// One key in four spellings, as OpenSSL's command line writes them. It was made for this file.
constexpr std::string_view pkcs8 = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxIthwTDo9ILYJE++
b/94aEjdpR2I48F5xUP5Jm+VcIOhRANCAAQ/p6feMIX0C7VvyUzTjwLxm+XYcNku
qgOJdb5hyjW14Soqq4EkPvvSoXFVLF6c6X4UC5AucS1b6fSrKL4pLoJG
-----END PRIVATE KEY-----
)";
constexpr std::string_view curve = R"(-----BEGIN EC PARAMETERS-----
BggqhkjOPQMBBw==
-----END EC PARAMETERS-----
)";
constexpr std::string_view sec1 = R"(-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIMSLYcEw6PSC2CRPvm//eGhI3aUdiOPBecVD+SZvlXCDoAoGCCqGSM49
AwEHoUQDQgAEP6en3jCF9Au1b8lM048C8Zvl2HDZLqoDiXW+Yco1teEqKquBJD77
0qFxVSxenOl+FAuQLnEtW+n0qyi+KS6CRg==
-----END EC PRIVATE KEY-----
)";
constexpr std::string_view encrypted_sec1 = R"(-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,5D22D7355E5989E1E1F5D7669D2E8629

jGWQwjiYNj6t9qiHhhE4IxRaOjVGOqXHaRNhoTBrO5lOTJP0iZBgj4W/s06pAuOW
RMjbKiDFLfOKoneHDzJUuRy6bQZYPC0dwGSfeQ2hKfv3jCFxUmvIECmlOLySPqaH
tGXy/7GePTLBK8qoXIvq4s7Aw3L1mi+bb44155W2/PM=
-----END EC PRIVATE KEY-----
)";
constexpr std::string_view encrypted_pkcs8 = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgFajTRznPbSgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE3wvzADVWgGcAlkHogDFnIEgZBq
2P9boBMzrrxPxwEUnN2UGrIY1Y6/Ey9zZmxTbCwM5MjtT2KxtoZgeQu6+bDARK21
6ZOkNE/sK5aMQR3ee+VUbfJkY80MTbe7l5mWlGmvgZrqBJkQ5ffTwmQpLkjdVjb0
otI+o0rkN3k0Ub6JwLckm47v5AtC9mKnDwpE+crlsrbCX9uuqsPNkQ9GD91IGvk=
-----END ENCRYPTED PRIVATE KEY-----
)";
constexpr std::string_view on_p384 = R"(-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDDXIkfEZ70gtrOVmvLQVCgJmH1g/uexUj9wUURtunGZBvhqTaR5IcqL
BvjqAifho+2gBwYFK4EEACKhZANiAATZ0xPiSPSuJFT1doCyc5hK9FTR6aqtc1wm
L72odNYsK7vABB0zCyGDeT/EH0OQ9gJ5Wjv1x/ofRlv6HQuIQvTVQAf8s4NS/DJT
lioagJr8VW7AB5T6h4LO6TmkioyLp+I=
-----END EC PRIVATE KEY-----
)";

std::string to_pem(const std::string& label, BytesView der) {
  std::string base64((der.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), der.data(),
                                   static_cast<int>(der.size()));
  base64.resize(static_cast<std::size_t>(size));
  std::string pem = "-----BEGIN " + label + "-----\n";
  for (std::size_t i = 0; i < base64.size(); i += 64) pem += base64.substr(i, 64) + "\n";
  return pem + "-----END " + label + "-----\n";
}

Result<PrivateKey> read(std::string_view pem, Algorithm algorithm = Algorithm::es256) {
  return PrivateKey::from_pem(algorithm, Secret{pem});
}
std::string refusal_of(std::string_view pem, Algorithm algorithm = Algorithm::es256) {
  const auto key = read(pem, algorithm);
  return key ? "accepted" : key.error().message;
}

TEST(PemKey, pkcs8_and_sec1_are_the_same_key) {
  const auto first = read(pkcs8);
  ASSERT_TRUE(first) << first.error().message;
  for (const auto& other : {std::string{sec1}, std::string{curve} + std::string{sec1}}) {
    const auto second = read(other);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->public_key().numbers(), first->public_key().numbers());
    EXPECT_TRUE(first->public_key().verify(as_bytes("text"), second->sign(as_bytes("text"))));
  }
}

TEST(PemKey, line_ends_and_text_around_it_do_not_matter) {
  std::string with_returns;
  for (const char c : pkcs8) with_returns.append(c == '\n' ? "\r\n" : std::string(1, c));
  EXPECT_EQ(refusal_of(with_returns), "accepted");
  EXPECT_EQ(refusal_of("Bag Attributes\n" + std::string{pkcs8} + "\n\n"), "accepted");
}

TEST(PemKey, every_algorithm_is_read_from_pkcs8) {
  for (const auto algorithm : {Algorithm::es256, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256}) {
    const auto key = PrivateKey::generate(algorithm);
    const auto again = read(to_pem("PRIVATE KEY", key.to_pkcs8().bytes()), algorithm);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->public_key().numbers(), key.public_key().numbers());
  }
}

TEST(PemKey, an_encrypted_one_is_refused_and_called_so) {
  EXPECT_THAT(refusal_of(encrypted_sec1), HasSubstr("encrypted"));
  EXPECT_THAT(refusal_of(encrypted_pkcs8), HasSubstr("encrypted"));
}

TEST(PemKey, J8_another_kind_of_key_is_refused) {
  EXPECT_NE(refusal_of(on_p384), "accepted");
  EXPECT_NE(refusal_of(pkcs8, Algorithm::eddsa), "accepted");
  EXPECT_NE(refusal_of(pkcs8, Algorithm::rs256), "accepted");
  EXPECT_NE(refusal_of(pkcs8, Algorithm::hs256), "accepted");
  const auto ed = PrivateKey::generate(Algorithm::eddsa).to_pkcs8();
  EXPECT_NE(refusal_of(to_pem("PRIVATE KEY", ed.bytes())), "accepted");
  EXPECT_NE(refusal_of(to_pem("EC PRIVATE KEY", ed.bytes())), "accepted");
}

TEST(PemKey, what_is_no_single_private_key_is_refused) {
  EXPECT_THAT(refusal_of(""), HasSubstr("Not a PRIVATE KEY"));
  EXPECT_THAT(refusal_of("a password"), HasSubstr("Not a PRIVATE KEY"));
  EXPECT_THAT(refusal_of(curve), HasSubstr("Not a PRIVATE KEY"));
  EXPECT_THAT(refusal_of(to_pem("PUBLIC KEY", as_bytes("x"))), HasSubstr("PUBLIC KEY"));
  EXPECT_THAT(refusal_of(to_pem("CERTIFICATE", as_bytes("x"))), HasSubstr("CERTIFICATE"));
  EXPECT_THAT(refusal_of(std::string{pkcs8} + std::string{sec1}), HasSubstr("More than one"));
  EXPECT_NE(refusal_of(to_pem("PRIVATE KEY", as_bytes("not DER"))), "accepted");
  EXPECT_NE(refusal_of(to_pem("EC PRIVATE KEY", as_bytes("not DER"))), "accepted");
  EXPECT_NE(refusal_of(pkcs8.substr(0, pkcs8.size() - 40)), "accepted");
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PemKey, a_private_part_that_does_not_fit_is_refused) {
  const auto der = PrivateKey::generate(Algorithm::es256).to_pkcs8();
  const auto other = PrivateKey::generate(Algorithm::es256).to_pkcs8();
  constexpr std::size_t point_bytes = 64;  // x and y stand at the end
  Bytes mixed{der.bytes().begin(), der.bytes().end()};
  EXPECT_EQ(refusal_of(to_pem("PRIVATE KEY", mixed)), "accepted");
  std::ranges::copy(other.bytes().last(point_bytes), mixed.end() - point_bytes);
  EXPECT_THAT(refusal_of(to_pem("PRIVATE KEY", mixed)), HasSubstr("does not fit"));
}

}  // namespace
}  // namespace keyward::crypto
