#include "protocol/oidc/id_token.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <limits>
#include <vector>

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "protocol/jose/jwk.hpp"
#include "protocol/jose/jws.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::oidc {
namespace {

using jose::Algorithm;
using jose::SigningKey;

constexpr std::string_view issuer = "https://op.example";
constexpr std::string_view client = "client-1";
constexpr std::string_view nonce = "n-0S6_WzA2Mj";
// The access token whose hash OpenID Connect Core A.3 shows.
constexpr std::string_view access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
constexpr std::string_view access_token_hash = "77QmUPtjPfzWtF2AnpK9RQ";
constexpr std::int64_t now_s = 1'900'000'000;

const SigningKey& key_of(Algorithm algorithm) {
  static const std::vector<SigningKey> keys = [] {
    std::vector<SigningKey> made;
    for (const auto each : {Algorithm::es256, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256}) {
      made.emplace_back(std::string{jose::to_name(each)} + "-key", crypto::PrivateKey::generate(each));
    }
    return made;
  }();
  return *std::ranges::find(keys, algorithm, &SigningKey::algorithm);
}

json::object good_claims() {
  return {{"iss", issuer}, {"sub", "248289761001"}, {"aud", client},         {"exp", now_s + 600},
          {"iat", now_s},  {"nonce", nonce},        {"auth_time", now_s - 5}};
}

struct IdTokens : testing::Test {
  const SigningKey& key = key_of(Algorithm::es256);
  std::vector<Algorithm> algorithms{Algorithm::es256, Algorithm::rs256};
  jose::KeySet keys{{key.verification_key()}};
  IdTokenExpectation expected{.issuer = issuer,
                              .client_id = client,
                              .nonce = nonce,
                              .algorithms = algorithms,
                              .now = from_unix_s(now_s)};

  std::string reason(std::string_view token) const {
    const auto result = verify_id_token(token, keys, expected);
    return result ? "accepted" : std::string{to_word(result.error().reason)};
  }
  std::string reason_of(const json::object& claims, std::string_view type = "JWT") const {
    return reason(jose::sign_compact(json::serialize(claims), key, type));
  }
  /// Of the good claims with one that is another.
  std::string reason_with(std::string_view name, const auto& value) const {
    auto claims = good_claims();
    claims[name] = value;
    return reason_of(claims);
  }
  std::string reason_without(std::string_view name) const {
    auto claims = good_claims();
    claims.erase(name);
    return reason_of(claims);
  }
};

TEST_F(IdTokens, a_good_one_is_read) {
  const auto token = jose::sign_compact(json::serialize(good_claims()), key, "JWT");
  const auto read = verify_id_token(token, keys, expected);
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->subject, "248289761001");
  EXPECT_EQ(read->auth_time, from_unix_s(now_s - 5));
  EXPECT_EQ(read->claims, good_claims());
  EXPECT_EQ(reason_without("auth_time"), "accepted");
}

struct Row {
  std::string_view claim;
  json::value value;
  std::string_view reason;
};

TEST_F(IdTokens, F6_each_claim_wrong_in_each_way_has_its_reason) {
  const json::value null;
  const auto max = std::numeric_limits<std::uint64_t>::max();
  for (const auto& row : std::initializer_list<Row>{
           {"iss", "https://other.example", "issuer_mismatch"},
           {"iss", "https://op.example/", "issuer_mismatch"},
           {"iss", "https://OP.example", "issuer_mismatch"},
           {"iss", "http://op.example", "issuer_mismatch"},
           {"iss", "op.example", "issuer_mismatch"},
           {"iss", "", "invalid_claim"},
           {"iss", null, "invalid_claim"},
           {"iss", json::array{issuer}, "invalid_claim"},

           {"aud", "client-2", "audience_mismatch"},
           {"aud", "client-10", "audience_mismatch"},
           {"aud", "CLIENT-1", "audience_mismatch"},
           {"aud", json::array{"client-2"}, "audience_mismatch"},
           {"aud", json::array{"client-2", client}, "audience_mismatch"},
           {"aud", json::array{client, "client-2"}, "audience_mismatch"},
           {"aud", json::array{client, issuer}, "audience_mismatch"},
           {"aud", json::array{client}, "accepted"},
           {"aud", json::array{client, client}, "missing_claim"},  // several: azp is required
           {"aud", json::array{}, "invalid_claim"},
           {"aud", json::array{client, 7}, "invalid_claim"},
           {"aud", json::object{{"client-1", true}}, "invalid_claim"},
           {"aud", "", "invalid_claim"},
           {"aud", null, "invalid_claim"},

           {"azp", json::string(client), "accepted"},
           {"azp", "client-2", "azp_mismatch"},
           {"azp", "Client-1", "azp_mismatch"},
           {"azp", "", "invalid_claim"},
           {"azp", null, "invalid_claim"},
           {"azp", json::array{client}, "invalid_claim"},

           {"exp", now_s - 59, "accepted"},  // limits::token_clock_skew
           {"exp", now_s - 60, "expired"},
           {"exp", 0, "expired"},
           {"exp", "1900000600", "invalid_claim"},
           {"exp", -1, "invalid_claim"},
           {"exp", max, "invalid_claim"},
           {"exp", 1e300, "invalid_claim"},
           {"exp", true, "invalid_claim"},
           {"exp", null, "invalid_claim"},

           {"nbf", now_s + 60, "accepted"},
           {"nbf", now_s + 61, "not_yet_valid"},
           {"nbf", "now", "invalid_claim"},
           {"nbf", null, "invalid_claim"},

           {"iat", now_s + 60, "accepted"},
           {"iat", now_s + 61, "not_yet_valid"},
           {"iat", now_s - 600, "accepted"},  // limits::provider_token_age_max
           {"iat", now_s - 601, "issued_too_long_ago"},
           {"iat", 0, "issued_too_long_ago"},
           {"iat", "1900000000", "invalid_claim"},
           {"iat", null, "invalid_claim"},

           {"nonce", "n-0S6_WzA2Mk", "nonce_mismatch"},
           {"nonce", "n-0S6_WzA2M", "nonce_mismatch"},
           {"nonce", "N-0S6_WzA2Mj", "nonce_mismatch"},
           {"nonce", "", "invalid_claim"},
           {"nonce", null, "invalid_claim"},
           {"nonce", json::array{nonce}, "invalid_claim"},

           {"sub", "", "invalid_claim"},
           {"sub", null, "invalid_claim"},
           {"sub", 248289761001, "invalid_claim"},
           {"sub", "caf\xc3\xa9", "invalid_claim"},
           {"sub", "a\nb", "invalid_claim"},
           {"sub", json::string("a\0b", 3), "invalid_claim"},
           {"sub", "a\x7f", "invalid_claim"},
           {"sub", "auth0|a b", "accepted"},
           {"sub", json::string(255, 's'), "accepted"},
           {"sub", json::string(256, 's'), "invalid_claim"},

           {"auth_time", "yesterday", "invalid_claim"},
           {"auth_time", null, "invalid_claim"},
           {"tid", "another tenant", "accepted"},  // nobody asked
           {"at_hash", 7, "accepted"},             // no access token to hash
       }) {
    EXPECT_EQ(reason_with(row.claim, row.value), row.reason)
        << row.claim << " " << json::serialize(row.value);
  }
}

TEST_F(IdTokens, F6_every_required_claim_is_required) {
  for (const std::string_view name : {"iss", "sub", "aud", "exp", "iat", "nonce"}) {
    EXPECT_EQ(reason_without(name), "missing_claim") << name;
  }
}

TEST_F(IdTokens, F6_several_audiences_want_azp) {
  auto claims = good_claims();
  claims["aud"] = json::array{client, client};
  claims["azp"] = client;
  EXPECT_EQ(reason_of(claims), "accepted");
  claims["azp"] = "client-2";
  EXPECT_EQ(reason_of(claims), "azp_mismatch");
}

TEST_F(IdTokens, F6_an_expectation_that_is_empty_fits_nothing) {
  const auto good = expected;
  expected.issuer = "";
  EXPECT_EQ(reason_of(good_claims()), "issuer_mismatch");
  expected = good;
  expected.client_id = "";
  EXPECT_EQ(reason_of(good_claims()), "audience_mismatch");
  expected = good;
  expected.nonce = "";
  EXPECT_EQ(reason_of(good_claims()), "nonce_mismatch");
  EXPECT_EQ(reason_without("nonce"), "missing_claim");
  expected = good;
  expected.algorithms = {};
  EXPECT_EQ(reason_of(good_claims()), "algorithm_mismatch");
}

TEST_F(IdTokens, J13_F6_another_kind_of_token_is_refused) {
  for (const std::string_view type : {"", "JWT", "jwt", "application/jwt"}) {
    EXPECT_EQ(reason_of(good_claims(), type), "accepted") << type;
  }
  for (const std::string_view type :
       {"at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "client-authentication+jwt",
        "JWE", "id_token+jwt", "text/jwt"}) {
    EXPECT_EQ(reason_of(good_claims(), type), "wrong_type") << type;
  }
}

TEST_F(IdTokens, F6_at_hash_must_be_the_access_tokens) {
  expected.access_token = access_token;
  EXPECT_EQ(reason_of(good_claims()), "accepted") << "it may be absent";
  EXPECT_EQ(reason_with("at_hash", access_token_hash), "accepted");
  EXPECT_EQ(reason_with("at_hash", "77QmUPtjPfzWtF2AnpK9RR"), "at_hash_mismatch");
  EXPECT_EQ(reason_with("at_hash", text::to_base64url(crypto::sha256(as_bytes(access_token)))),
            "at_hash_mismatch");
  EXPECT_EQ(reason_with("at_hash", "77QmUPtjPfzWtF2AnpK9RQ=="), "at_hash_mismatch");
  EXPECT_EQ(reason_with("at_hash", ""), "invalid_claim");
  EXPECT_EQ(reason_with("at_hash", nullptr), "invalid_claim");
  expected.access_token = "another";
  EXPECT_EQ(reason_with("at_hash", access_token_hash), "at_hash_mismatch");
}

TEST_F(IdTokens, F6_a_tenant_is_pinned) {
  expected.tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
  EXPECT_EQ(reason_with("tid", "9188040d-6c67-4c5b-b112-36a304b66dad"), "accepted");
  EXPECT_EQ(reason_with("tid", "9188040D-6C67-4C5B-B112-36A304B66DAD"), "tenant_mismatch");
  EXPECT_EQ(reason_with("tid", "72f988bf-86f1-41af-91ab-2d7cd011db47"), "tenant_mismatch");
  EXPECT_EQ(reason_with("tid", ""), "invalid_claim");
  EXPECT_EQ(reason_with("tid", 7), "invalid_claim");
  EXPECT_EQ(reason_of(good_claims()), "missing_claim");
}

struct EveryAlgorithm : testing::TestWithParam<Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Algorithms, EveryAlgorithm,
                         testing::Values(Algorithm::es256, Algorithm::eddsa, Algorithm::rs256,
                                         Algorithm::ps256));

TEST_P(EveryAlgorithm, F6_is_taken_with_its_own_hash_when_the_provider_lists_it) {
  const auto& key = key_of(GetParam());
  const auto left_half = [](const auto& hash) {
    return text::to_base64url(BytesView{hash}.first(hash.size() / 2));
  };
  auto claims = good_claims();
  claims["at_hash"] = GetParam() == Algorithm::eddsa ? left_half(crypto::sha512(as_bytes(access_token)))
                                                     : left_half(crypto::sha256(as_bytes(access_token)));
  const auto token = jose::sign_compact(json::serialize(claims), key);
  const jose::KeySet keys{{key.verification_key()}};
  std::vector<Algorithm> algorithms{GetParam()};
  IdTokenExpectation expected{.issuer = issuer,
                              .client_id = client,
                              .nonce = nonce,
                              .algorithms = algorithms,
                              .now = from_unix_s(now_s),
                              .access_token = access_token};
  const auto taken = verify_id_token(token, keys, expected);
  EXPECT_TRUE(taken) << taken.error().detail;
  algorithms.front() = GetParam() == Algorithm::es256 ? Algorithm::rs256 : Algorithm::es256;
  const auto refused = verify_id_token(token, keys, expected);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::algorithm_mismatch);
}

/// A token with a header of the attacker's choice, and a signature that `sign` makes.
template <class Sign>
std::string forge(const json::object& header, const json::object& claims, Sign sign) {
  auto token = text::to_base64url(as_bytes(json::serialize(header))) + "." +
               text::to_base64url(as_bytes(json::serialize(claims)));
  const Bytes signature = sign(token);
  return token + "." + text::to_base64url(signature);
}
const auto without_signature = [](std::string_view) { return Bytes{}; };

TEST_F(IdTokens, J8_F6_none_and_swapped_families_are_refused) {
  const auto claims = good_claims();
  for (const std::string_view none : {"none", "None", "NONE", "nOnE", ""}) {
    EXPECT_EQ(reason(forge({{"alg", none}}, claims, without_signature)), "algorithm_mismatch") << none;
    EXPECT_EQ(reason(forge({{"alg", none}, {"kid", key.kid()}}, claims, without_signature)),
              "algorithm_mismatch");
  }
  EXPECT_EQ(reason(forge({{"alg", "ES256"}, {"kid", key.kid()}}, claims, without_signature)),
            "bad_signature");

  // The public key as it is published, taken for the secret of a MAC.
  const auto published =
      json::serialize(jose::to_public_jwk(key.kid(), *key.verification_key().public_key()));
  for (const auto& secret : {published, jose::to_public_jwk_set(keys), std::string{client}}) {
    const auto mac = [&](std::string_view text) {
      const auto tag = crypto::hmac_sha256(as_bytes(secret), as_bytes(text));
      return Bytes{tag.begin(), tag.end()};
    };
    EXPECT_EQ(reason(forge({{"alg", "HS256"}, {"kid", key.kid()}}, claims, mac)), "algorithm_mismatch");
    EXPECT_EQ(reason(forge({{"alg", "HS256"}}, claims, mac)), "algorithm_mismatch");
  }

  const auto sign_with = [](Algorithm algorithm) {
    return [algorithm](std::string_view text) { return key_of(algorithm).sign(as_bytes(text)); };
  };
  for (const std::string_view name : {"RS256", "PS256", "EdDSA", "ES384", "RS512", "es256"}) {
    EXPECT_EQ(reason(forge({{"alg", name}, {"kid", key.kid()}}, claims, sign_with(Algorithm::rs256))),
              "algorithm_mismatch")
        << name;
  }
}

TEST_F(IdTokens, J8_F6_a_mac_is_refused_even_where_list_and_keys_would_have_it) {
  const SigningKey mac{"mac", crypto::MacKey::from_bytes(Secret{std::string(32, 's')}).value()};
  keys = jose::KeySet{{mac.verification_key()}};
  algorithms = {Algorithm::hs256};
  expected.algorithms = algorithms;
  EXPECT_EQ(reason(jose::sign_compact(json::serialize(good_claims()), mac)), "algorithm_mismatch");
}

TEST_F(IdTokens, J9_F6_keys_in_the_header_are_not_looked_at) {
  const SigningKey own{"own", crypto::PrivateKey::generate(Algorithm::es256)};
  const auto sign = [&](std::string_view text) { return own.sign(as_bytes(text)); };
  const auto jwk = jose::to_public_jwk("own", *own.verification_key().public_key());
  EXPECT_EQ(reason(forge({{"alg", "ES256"}, {"jwk", jwk}}, good_claims(), sign)), "bad_signature");
  EXPECT_EQ(reason(forge({{"alg", "ES256"}, {"kid", "own"}, {"jwk", jwk}}, good_claims(), sign)),
            "unknown_key");
  EXPECT_EQ(reason(forge({{"alg", "ES256"}, {"kid", key.kid()}, {"jku", "https://evil.example/jwks"}},
                         good_claims(), sign)),
            "bad_signature");
  EXPECT_EQ(reason(forge({{"alg", "ES256"}, {"kid", key.kid()}, {"crit", json::array{"exp"}}}, good_claims(),
                         [&](std::string_view text) { return key.sign(as_bytes(text)); })),
            "critical_header");
}

TEST_F(IdTokens, F6_a_key_that_is_not_there_is_told_apart_from_a_bad_signature) {
  const SigningKey next{"next", crypto::PrivateKey::generate(Algorithm::es256)};
  const auto token = jose::sign_compact(json::serialize(good_claims()), next);
  EXPECT_EQ(reason(token), "unknown_key");
  ASSERT_TRUE(keys.add(next.verification_key()));  // fetched anew
  EXPECT_EQ(reason(token), "accepted");
  const SigningKey same_name{key.kid(), crypto::PrivateKey::generate(Algorithm::es256)};
  EXPECT_EQ(reason(jose::sign_compact(json::serialize(good_claims()), same_name)), "bad_signature");
  keys = {};
  EXPECT_EQ(reason(token), "unknown_key");
}

TEST_F(IdTokens, a_changed_or_malformed_one_is_refused) {
  const auto token = jose::sign_compact(json::serialize(good_claims()), key, "JWT");
  for (std::size_t i = 0; i < token.size(); i += 11) {
    auto changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(reason(changed), "accepted") << i;
    EXPECT_NE(reason(token.substr(0, i)), "accepted") << i;
  }
  for (const std::string_view text : {"", ".", "..", "a.b", "a.b.c.d.e", "not a token"}) {
    EXPECT_EQ(reason(text), "malformed") << text;
  }
  EXPECT_EQ(reason(token + "="), "malformed");
  EXPECT_EQ(reason(" " + token), "malformed");
  EXPECT_EQ(reason(jose::sign_compact("[]", key)), "malformed");
  EXPECT_EQ(reason(jose::sign_compact("not json", key)), "malformed");
  auto twice = json::serialize(good_claims());
  twice.insert(1, R"("iss":"https://other.example",)");
  EXPECT_EQ(reason(jose::sign_compact(twice, key)), "malformed") << "a member twice";
}

TEST_F(IdTokens, may_be_longer_than_our_own_but_has_a_limit) {
  auto claims = good_claims();
  claims["groups"] = std::string(limits::jws_max_bytes, 'g');
  EXPECT_EQ(reason_of(claims), "accepted");
  claims["groups"] = std::string(limits::provider_token_max_bytes, 'g');
  EXPECT_EQ(reason_of(claims), "too_large");
}

}  // namespace
}  // namespace keyward::protocol::oidc
