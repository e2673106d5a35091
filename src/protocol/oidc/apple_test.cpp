#include "protocol/oidc/apple.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "base/limits.hpp"
#include "protocol/jose/jws.hpp"

namespace keyward::protocol::oidc {
namespace {

using jose::Algorithm;
using jose::SigningKey;

TEST(Apple, the_client_secret_is_as_apple_wants_it) {
  const SigningKey key{"ABC123DEFG", crypto::PrivateKey::generate(Algorithm::es256)};
  const auto secret = make_apple_client_secret({.team_id = "DEF123GHIJ",
                                                .client_id = "com.example.web",
                                                .audience = "https://appleid.apple.com",
                                                .issued_at = from_unix_s(1'900'000'000)},
                                               key);
  const auto jws = jose::verify_compact(secret, jose::KeySet{{key.verification_key()}});
  ASSERT_TRUE(jws) << jws.error().detail;
  EXPECT_EQ(jose::json::serialize(jws->header()), R"({"alg":"ES256","kid":"ABC123DEFG"})");
  EXPECT_EQ(jws->payload(), R"({"iss":"DEF123GHIJ","iat":1900000000,"exp":1900000120,)"
                            R"("aud":"https://appleid.apple.com","sub":"com.example.web"})");
}

TEST(Apple, a_key_of_another_kind_signs_no_client_secret) {
  const SigningKey eddsa{"ABC123DEFG", crypto::PrivateKey::generate(Algorithm::eddsa)};
  EXPECT_THROW(make_apple_client_secret({}, eddsa), std::invalid_argument);
  const SigningKey nameless{"", crypto::PrivateKey::generate(Algorithm::es256)};
  EXPECT_THROW(make_apple_client_secret({}, nameless), std::invalid_argument);
}

TEST(Apple, a_name_is_all_that_is_read_of_the_form_field) {
  EXPECT_EQ(
      name_of_apple_user(R"({"name":{"firstName":"Ann","lastName":"Example"},"email":"ann@example.org"})"),
      "Ann Example");
  EXPECT_EQ(name_of_apple_user(R"({"name":{"firstName":"Ann"}})"), "Ann");
  EXPECT_EQ(name_of_apple_user(R"({"name":{"firstName":null,"lastName":"Example"}})"), "Example");
  EXPECT_EQ(name_of_apple_user(R"({"name":{"firstName":"A\r\nB\u0000","lastName":"\u202eC"}})"),
            "A  B\xef\xbf\xbd C");
  for (const std::string_view text :
       {"", "Ann", "[]", "{}", R"({"name":"Ann"})", R"({"name":null})", R"({"name":{"firstName":7}})"}) {
    EXPECT_EQ(name_of_apple_user(text), "") << text;
  }
  const auto long_name = std::string(1000, 'x');
  const auto text = R"({"name":{"firstName":")" + long_name + R"(","lastName":")" + long_name + "\"}}";
  EXPECT_EQ(name_of_apple_user(text).size(), limits::provider_text_max_bytes);
}

}  // namespace
}  // namespace keyward::protocol::oidc
