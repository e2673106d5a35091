#include "protocol/oauth2/client_authentication.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "protocol/jose/jws.hpp"
#include "protocol/jose/jwt.hpp"

namespace keyward::protocol::oauth2 {
namespace {

TEST(ClientAuthentication, basic_is_the_example_of_rfc6749) {
  EXPECT_EQ(basic_credentials("s6BhdRkqt3", Secret{"gX1fBat3bV"}), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
  EXPECT_EQ(basic_credentials("s6BhdRkqt3", Secret{"7Fjfp0ZBr1KtDRbnfVdmIw"}),
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
}

TEST(ClientAuthentication, id_and_secret_are_escaped_before_they_are_joined) {
  EXPECT_EQ(basic_credentials("a:b", Secret{"c d%"}), "Basic YSUzQWI6YytkJTI1");  // a%3Ab:c+d%25
  EXPECT_EQ(basic_credentials("i", Secret{"\xc2\xa3"}), "Basic aTolQzIlQTM=");    // i:%C2%A3
  EXPECT_EQ(basic_credentials("", Secret{}), "Basic Og==");
}

TEST(ClientAuthentication, has_the_names_of_the_metadata) {
  for (const auto method :
       {ClientAuthentication::basic, ClientAuthentication::post, ClientAuthentication::private_key_jwt}) {
    EXPECT_EQ(parse_client_authentication(to_name(method)), method);
  }
  EXPECT_EQ(to_name(ClientAuthentication::post), "client_secret_post");
  for (const std::string_view name :
       {"", "none", "client_secret_jwt", "tls_client_auth", "Client_Secret_Basic"}) {
    EXPECT_FALSE(parse_client_authentication(name)) << name;
  }
}

struct ClientAssertion : testing::TestWithParam<jose::Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Algorithms, ClientAssertion,
                         testing::Values(jose::Algorithm::es256, jose::Algorithm::eddsa,
                                         jose::Algorithm::rs256));

TEST_P(ClientAssertion, is_what_rfc7523_asks_for) {
  const jose::SigningKey key{"key-1", crypto::PrivateKey::generate(GetParam())};
  const auto now = from_unix_s(1'900'000'000);
  const auto assertion = make_client_assertion(
      {.client_id = "client \"1\"", .audience = "https://op.example/token", .jti = "id-1", .issued_at = now},
      key);
  const auto jws = jose::verify_compact(assertion, jose::KeySet{{key.verification_key()}});
  ASSERT_TRUE(jws) << jws.error().detail;
  EXPECT_EQ(jws->kid(), "key-1");
  const auto claims = jose::parse_claims(jws->payload());
  ASSERT_TRUE(claims);
  EXPECT_TRUE(jose::check_issuer(*claims, "client \"1\""));
  EXPECT_EQ(jose::get_text(*claims, "sub"), "client \"1\"");
  EXPECT_EQ(jose::get_audience(*claims), std::vector<std::string>{"https://op.example/token"});
  EXPECT_EQ(jose::get_text(*claims, "jti"), "id-1");
  EXPECT_EQ(jose::get_time(*claims, "iat"), now);
  EXPECT_EQ(jose::get_time(*claims, "exp"), now + limits::client_assertion_lifetime);
  EXPECT_TRUE(jose::check_expiry(*claims, now, seconds{0}));
}

}  // namespace
}  // namespace keyward::protocol::oauth2
