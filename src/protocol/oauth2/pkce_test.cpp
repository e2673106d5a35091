#include "protocol/oauth2/pkce.hpp"

#include <gtest/gtest.h>

#include "crypto/system_random.hpp"

namespace keyward::protocol::oauth2 {
namespace {

// RFC 7636 appendix B.
constexpr std::string_view verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct ReplayedRandom final : Random {
  void fill(std::span<std::uint8_t> bytes) override {
    constexpr std::array<std::uint8_t, 32> octets{116, 24,  223, 180, 151, 153, 224, 37,  79,  250, 96,
                                                  125, 216, 173, 187, 186, 22,  212, 37,  77,  105, 214,
                                                  191, 240, 91,  88,  5,   88,  83,  132, 141, 121};
    ASSERT_EQ(bytes.size(), octets.size());
    std::ranges::copy(octets, bytes.begin());
  }
};

TEST(Pkce, F4_the_example_of_rfc7636_appendix_b) {
  ReplayedRandom random;
  EXPECT_EQ(make_verifier(random), verifier);
  EXPECT_EQ(challenge_s256(verifier), challenge);
  EXPECT_TRUE(verifies(verifier, challenge));
}

TEST(Pkce, F4_each_verifier_is_another) {
  crypto::SystemRandom random;
  const auto first = make_verifier(random);
  EXPECT_TRUE(is_verifier(first));
  EXPECT_TRUE(is_challenge(challenge_s256(first)));
  EXPECT_NE(first, make_verifier(random));
}

TEST(Pkce, F4_another_verifier_and_the_challenge_itself_verify_nothing) {
  EXPECT_FALSE(verifies("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", challenge));
  EXPECT_FALSE(verifies(challenge, challenge)) << "that would be the method plain";
  EXPECT_FALSE(verifies(verifier, ""));
  EXPECT_FALSE(verifies(verifier, challenge.substr(0, 42)));
  EXPECT_FALSE(verifies("", challenge_s256("")));
  EXPECT_FALSE(verifies("short", challenge_s256("short")));
}

TEST(Pkce, a_verifier_has_43_to_128_unreserved_characters) {
  EXPECT_FALSE(is_verifier(std::string(42, 'a')));
  EXPECT_TRUE(is_verifier(std::string(43, 'a')));
  EXPECT_TRUE(is_verifier(std::string(128, '~')));
  EXPECT_FALSE(is_verifier(std::string(129, 'a')));
  for (const char c : std::string_view{" +/=%\0\x80", 7}) EXPECT_FALSE(is_verifier(std::string(43, c))) << c;
  for (const char c : std::string_view{"azAZ09-._~"}) EXPECT_TRUE(is_verifier(std::string(43, c))) << c;
}

TEST(Pkce, a_challenge_is_a_sha256_in_base64url) {
  EXPECT_TRUE(is_challenge(challenge));
  EXPECT_FALSE(is_challenge(""));
  EXPECT_FALSE(is_challenge(challenge.substr(1)));
  EXPECT_FALSE(is_challenge(std::string{challenge} + "="));
  EXPECT_FALSE(is_challenge(std::string{challenge} + "A"));
  EXPECT_FALSE(is_challenge(std::string(43, '+')));
  EXPECT_FALSE(is_challenge(std::string(43, '_'))) << "its last bits are not zero";
}

}  // namespace
}  // namespace keyward::protocol::oauth2
