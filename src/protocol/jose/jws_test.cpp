#include "protocol/jose/jws.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "protocol/jose/jwk.hpp"
#include "protocol/jose/vectors_for_tests.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::jose {
namespace {

KeySet key_set_of(const json::value& jwk_set) {
  auto set = parse_jwk_set(json::serialize(jwk_set), MacKeys::accept);
  if (!set) throw std::runtime_error(set.error().message);
  return std::move(set->keys);
}

std::string reason_of(const Checked<VerifiedJws>& result) {
  return result ? "accepted" : std::string{to_word(result.error().reason)};
}

TEST(Jws, rfc7515_rfc7520_rfc8037_examples_verify) {
  for (const auto& row : rows_of(read_vectors("rfc_signatures.json"))) {
    SCOPED_TRACE(string_of(row, "name"));
    const auto key = parse_verification_key(row.at("jwk"), MacKeys::accept);
    ASSERT_TRUE(key) << key.error().message;
    const auto jws = verify_compact(string_of(row, "token"), KeySet{{*key}});
    ASSERT_TRUE(jws) << jws.error().detail;
    EXPECT_EQ(jws->payload(), string_of(row, "payload"));
    EXPECT_EQ(jws->header(), row.at("header").as_object());
    EXPECT_EQ(jws->kid(), key->kid());
  }
}

TEST(Jws, rfc_examples_are_signed_as_in_the_rfc) {
  int repeated = 0;
  for (const auto& row : rows_of(read_vectors("rfc_signatures.json"))) {
    SCOPED_TRACE(string_of(row, "name"));
    const auto key = parse_signing_key(row.at("jwk"));
    ASSERT_TRUE(key) << key.error().message;
    const auto token = string_of(row, "token");
    const auto input = token.substr(0, token.rfind('.'));
    const auto signature = key->sign(as_bytes(input));
    EXPECT_TRUE(key->verification_key().verify(as_bytes(input), signature));
    if (!row.at("deterministic").as_bool()) continue;
    EXPECT_EQ(input + "." + text::to_base64url(signature), token);
    ++repeated;
  }
  EXPECT_EQ(repeated, 5);
}

TEST(Jws, tokens_of_jwcrypto_verify_for_every_algorithm) {
  const auto vectors = read_vectors("interop_jwcrypto.json");
  const auto keys = key_set_of(vectors.at("public_keys"));
  ASSERT_EQ(keys.keys().size(), 5);
  for (const auto& row : rows_of(vectors)) {
    SCOPED_TRACE(string_of(row, "name"));
    const auto jws = verify_compact(string_of(row, "token"), keys);
    ASSERT_TRUE(jws) << jws.error().detail;
    EXPECT_EQ(jws->payload(), string_of(row, "payload"));
    EXPECT_EQ(to_name(jws->algorithm()), string_of(row, "algorithm"));
  }
}

TEST(Jws, J8_each_algorithm_signs_and_only_its_own_key_verifies) {
  const auto vectors = read_vectors("interop_jwcrypto.json");
  const auto keys = key_set_of(vectors.at("public_keys"));
  for (const auto& jwk : vectors.at("private_keys").at("keys").as_array()) {
    const auto key = parse_signing_key(jwk);
    ASSERT_TRUE(key) << key.error().message;
    SCOPED_TRACE(to_name(key->algorithm()));
    const auto token = sign_compact("payload", *key, "at+jwt");
    const auto jws = verify_compact(token, keys);
    ASSERT_TRUE(jws) << jws.error().detail;
    EXPECT_EQ(jws->payload(), "payload");
    EXPECT_EQ(jws->header(),
              (json::object{{"alg", to_name(key->algorithm())}, {"typ", "at+jwt"}, {"kid", key->kid()}}));
    for (const auto& other : keys.keys()) {
      const bool own = other.kid() == key->kid();
      EXPECT_EQ(verify_compact(token, KeySet{{other}}).has_value(), own) << other.kid();
    }
  }
}

TEST(Jws, J8_J9_J10_J11_J15_hostile_tokens_are_refused_for_their_reason) {
  const auto vectors = read_vectors("hostile_tokens.json");
  const auto keys = key_set_of(vectors.at("keys"));
  for (const auto& row : rows_of(vectors)) {
    const auto* own_keys = row.as_object().if_contains("keys");
    const auto set = own_keys != nullptr ? key_set_of(*own_keys) : keys;
    EXPECT_EQ(reason_of(verify_compact(string_of(row, "token"), set)), string_of(row, "reason"))
        << string_of(row, "name");
  }
}

TEST(Jws, what_stands_beside_the_hostile_ones_is_accepted) {
  const auto vectors = read_vectors("hostile_tokens.json");
  const auto keys = key_set_of(vectors.at("keys"));
  for (const auto& row : rows_of(vectors, "accepted")) {
    EXPECT_EQ(reason_of(verify_compact(string_of(row, "token"), keys)), "accepted") << string_of(row, "name");
  }
}

struct WithKey : testing::Test {
  SigningKey key{crypto::PrivateKey::generate(Algorithm::es256)};
  KeySet keys{{key.verification_key()}};
  std::string token = sign_compact(R"({"sub":"somebody"})", key, "at+jwt");
};

TEST_F(WithKey, J10_every_cut_of_a_token_is_refused) {
  ASSERT_TRUE(verify_compact(token, keys));
  for (std::size_t i = 0; i < token.size(); ++i) {
    EXPECT_FALSE(verify_compact(std::string_view{token}.substr(0, i), keys)) << i;
    EXPECT_FALSE(verify_compact(std::string_view{token}.substr(i + 1), keys)) << i;
  }
}

TEST_F(WithKey, J10_every_other_spelling_of_a_token_is_refused) {
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'B', '_', '.', '=', ' ', '\0', '\n'}) {
      if (token[i] == c) continue;
      auto changed = token;
      changed[i] = c;
      EXPECT_FALSE(verify_compact(changed, keys)) << i << " " << static_cast<int>(c);
      auto longer = token;
      longer.insert(i, 1, c);
      EXPECT_FALSE(verify_compact(longer, keys)) << i << " " << static_cast<int>(c);
    }
  }
}

TEST_F(WithKey, J10_the_size_limit_is_exact) {
  const auto token_of = [&](std::size_t payload_bytes) {
    return sign_compact(std::string(payload_bytes, 'x'), key);
  };
  std::size_t payload_bytes = limits::jws_max_bytes * 3 / 4;
  while (token_of(payload_bytes).size() > limits::jws_max_bytes) --payload_bytes;
  EXPECT_EQ(reason_of(verify_compact(token_of(payload_bytes), keys)), "accepted");
  while (token_of(payload_bytes).size() <= limits::jws_max_bytes) ++payload_bytes;
  EXPECT_EQ(reason_of(verify_compact(token_of(payload_bytes), keys)), "malformed");
}

TEST_F(WithKey, a_key_without_a_name_signs_without_kid) {
  crypto::SystemRandom random;
  const SigningKey unnamed{"", crypto::MacKey::generate(random)};
  const auto mac_token = sign_compact("x", unnamed);
  const auto jws = verify_compact(mac_token, KeySet{{unnamed.verification_key()}});
  ASSERT_TRUE(jws);
  EXPECT_EQ(jws->header(), (json::object{{"alg", "HS256"}}));
}

TEST_F(WithKey, J15_a_key_that_has_left_the_set_is_unknown) {
  const SigningKey next{crypto::PrivateKey::generate(Algorithm::es256)};
  KeySet rotated{{next.verification_key(), key.verification_key()}};
  EXPECT_EQ(reason_of(verify_compact(token, rotated)), "accepted");
  EXPECT_EQ(reason_of(verify_compact(token, KeySet{{next.verification_key()}})), "unknown_key");
}

TEST(KeySet, a_second_key_of_the_same_name_and_algorithm_is_not_added) {
  const SigningKey first{"same", crypto::PrivateKey::generate(Algorithm::es256)};
  const SigningKey second{"same", crypto::PrivateKey::generate(Algorithm::es256)};
  const SigningKey other{"same", crypto::PrivateKey::generate(Algorithm::eddsa)};
  KeySet keys;
  EXPECT_TRUE(keys.add(first.verification_key()));
  EXPECT_FALSE(keys.add(second.verification_key()));
  EXPECT_TRUE(keys.add(other.verification_key()));
  EXPECT_EQ(reason_of(verify_compact(sign_compact("x", first), keys)), "accepted");
  EXPECT_EQ(reason_of(verify_compact(sign_compact("x", second), keys)), "bad_signature");
  EXPECT_EQ(reason_of(verify_compact(sign_compact("x", other), keys)), "accepted");
}

TEST(Jws, J12_a_jwe_is_never_taken_for_a_jws) {
  // RFC 7516 §3.1: five parts. Also with a header that names no encryption.
  for (const std::string_view header :
       {R"({"alg":"RSA-OAEP","enc":"A256GCM"})", R"({"alg":"dir","enc":"A128GCM","zip":"DEF"})",
        R"({"alg":"ES256"})"}) {
    EXPECT_EQ(reason_of(verify_compact(text::to_base64url(as_bytes(header)) + ".e30.e30.e30.e30", KeySet{})),
              "malformed");
  }
}

TEST_F(WithKey, inspecting_shows_what_verifying_would_refuse) {
  const auto unsigned_token = text::to_base64url(as_bytes(R"({"alg":"none","crit":["x"]})")) + ".e30.";
  const auto jws = parse_compact(unsigned_token);
  ASSERT_TRUE(jws) << jws.error().detail;
  EXPECT_EQ(jws->payload, "{}");
  EXPECT_TRUE(jws->signature.empty());
  EXPECT_EQ(jws->signing_input, std::string_view{unsigned_token}.substr(0, unsigned_token.size() - 1));
  EXPECT_FALSE(parse_compact("a.b"));
}

}  // namespace
}  // namespace keyward::protocol::jose
