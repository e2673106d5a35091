#include "protocol/jose/access_token.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <stdexcept>

namespace keyward::protocol::jose {
namespace {

struct AccessToken : testing::Test {
  SigningKey key{crypto::PrivateKey::generate(Algorithm::es256)};
  KeySet keys{{key.verification_key()}};
  Time now = from_unix_s(1'900'000'000);
  AccessClaims claims{.issuer = "https://issuer.example",
                      .subject = "0190a0b0-0000-7000-8000-000000000001",
                      .audience = {"https://issuer.example"},
                      .issued_at = now,
                      .expires_at = now + seconds{900},
                      .jti = "token-1",
                      .sid = "session-1",
                      .client_id = "",
                      .scope = "profile email",
                      .roles = {"user", "admin"}};
  Expectation expected{"https://issuer.example", "https://issuer.example", now};

  std::string reason(std::string_view token) const {
    const auto result = verify_access_token(token, keys, expected);
    return result ? "accepted" : std::string{to_word(result.error().reason)};
  }
  json::object payload() const {
    const auto jws = parse_compact(make_access_token(claims, key));
    return text::parse_json(jws.value().payload).value().as_object();
  }
  std::string reason_of_payload(const json::object& changed, std::string_view type = "at+jwt") const {
    return reason(sign_compact(json::serialize(changed), key, type));
  }
};

TEST_F(AccessToken, what_was_made_is_read_back) {
  const auto read = verify_access_token(make_access_token(claims, key), keys, expected);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, claims);
}

TEST_F(AccessToken, has_the_shape_of_rfc9068) {
  const auto jws = parse_compact(make_access_token(claims, key));
  ASSERT_TRUE(jws);
  EXPECT_EQ(json::serialize(jws->header), R"({"alg":"ES256","typ":"at+jwt","kid":")" + key.kid() + R"("})");
  EXPECT_EQ(
      jws->payload,
      R"({"iss":"https://issuer.example","sub":"0190a0b0-0000-7000-8000-000000000001",)"
      R"("aud":"https://issuer.example","exp":1900000900,"iat":1900000000,"jti":"token-1","sid":"session-1",)"
      R"("scope":"profile email","roles":["user","admin"]})");
}

TEST_F(AccessToken, several_audiences_and_no_session_survive_too) {
  claims.audience = {"a", "https://issuer.example"};
  claims.sid.clear();
  claims.scope.clear();
  claims.roles.clear();
  claims.client_id = "client";
  const auto read = verify_access_token(make_access_token(claims, key), keys, expected);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, claims);
}

TEST_F(AccessToken, J14_is_refused_outside_its_time) {
  const auto token = make_access_token(claims, key);
  expected.now = now + seconds{900} - microseconds{1};
  EXPECT_EQ(reason(token), "accepted");
  expected.now = now + seconds{900};
  EXPECT_EQ(reason(token), "expired");
  expected.expiry_skew = seconds{1};
  EXPECT_EQ(reason(token), "accepted");
  expected.now = now - seconds{60};
  EXPECT_EQ(reason(token), "accepted");
  expected.now = now - seconds{61};
  EXPECT_EQ(reason(token), "not_yet_valid");
}

TEST_F(AccessToken, J14_another_issuer_or_audience_is_refused) {
  const auto token = make_access_token(claims, key);
  expected.issuer = "https://other.example";
  EXPECT_EQ(reason(token), "issuer_mismatch");
  expected.issuer = "https://issuer.example";
  expected.audience = "https://other.example";
  EXPECT_EQ(reason(token), "audience_mismatch");
}

TEST_F(AccessToken, J13_only_an_access_token_is_one) {
  EXPECT_EQ(reason_of_payload(payload(), "at+jwt"), "accepted");
  EXPECT_EQ(reason_of_payload(payload(), "application/at+jwt"), "accepted");
  for (const std::string_view type :
       {"", "JWT", "logout+jwt", "dpop+jwt", "client-authentication+jwt", "reset+jwt"}) {
    EXPECT_EQ(reason_of_payload(payload(), type), "wrong_type") << type;
  }
}

TEST_F(AccessToken, every_required_claim_is_required) {
  for (const std::string_view name : {"iss", "sub", "aud", "exp", "iat", "jti"}) {
    auto changed = payload();
    changed.erase(name);
    EXPECT_EQ(reason_of_payload(changed), "missing_claim") << name;
    changed[name] = nullptr;
    EXPECT_EQ(reason_of_payload(changed), "invalid_claim") << name;
  }
  for (const std::string_view name : {"sid", "client_id", "scope", "roles"}) {
    auto changed = payload();
    changed.erase(name);
    EXPECT_EQ(reason_of_payload(changed), "accepted") << name;
    changed[name] = 7;
    EXPECT_EQ(reason_of_payload(changed), "invalid_claim") << name;
  }
  auto changed = payload();
  changed["roles"] = json::array{"user", 7};
  EXPECT_EQ(reason_of_payload(changed), "invalid_claim");
  changed = payload();
  changed["nbf"] = 1'900'000'061;
  EXPECT_EQ(reason_of_payload(changed), "not_yet_valid");
}

TEST_F(AccessToken, J8_a_forged_one_is_refused) {
  const SigningKey other{crypto::PrivateKey::generate(Algorithm::es256)};
  EXPECT_EQ(reason(make_access_token(claims, other)), "unknown_key");
  const SigningKey same_name{key.kid(), crypto::PrivateKey::generate(Algorithm::es256)};
  EXPECT_EQ(reason(make_access_token(claims, same_name)), "bad_signature");
  const SigningKey eddsa{key.kid(), crypto::PrivateKey::generate(Algorithm::eddsa)};
  EXPECT_EQ(reason(make_access_token(claims, eddsa)), "algorithm_mismatch");
  EXPECT_EQ(reason(sign_compact("not json", key, "at+jwt")), "malformed");
  EXPECT_EQ(reason("not a token"), "malformed");
}

TEST_F(AccessToken, one_that_nobody_would_accept_is_not_made) {
  claims.roles.assign(1000, "a-role-with-a-name");
  EXPECT_THROW(make_access_token(claims, key), std::length_error);
}

}  // namespace
}  // namespace keyward::protocol::jose
