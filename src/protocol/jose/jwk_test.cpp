#include "protocol/jose/jwk.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "base/limits.hpp"
#include "crypto/system_random.hpp"
#include "protocol/jose/vectors_for_tests.hpp"
#include "text/base64url.hpp"

namespace keyward::protocol::jose {
namespace {

json::object example(std::string_view name) {
  for (const auto& row : rows_of(read_vectors("rfc_signatures.json"))) {
    if (string_of(row, "name") == name) return row.at("jwk").as_object();
  }
  throw std::runtime_error("no such vector");
}

template <class T>
json::object with(json::object jwk, std::string_view name, const T& value) {
  jwk[name] = json::value_from(value);
  return jwk;
}
json::object without(json::object jwk, std::string_view name) {
  jwk.erase(name);
  return jwk;
}
bool accepted(const json::object& jwk) {
  return parse_verification_key(json::value(jwk), MacKeys::accept).has_value();
}
bool signs(const json::object& jwk) { return parse_signing_key(json::value(jwk)).has_value(); }

const json::object ec = example("RFC 7515 A.3 ES256");
const json::object rsa = example("RFC 7515 A.2 RS256");
const json::object okp = example("RFC 8037 A.4 EdDSA");
const json::object oct = example("RFC 7515 A.1 HS256");

TEST(Jwk, rfc7638_and_rfc8037_thumbprints) {
  for (const auto& row : rows_of(read_vectors("thumbprints.json"))) {
    SCOPED_TRACE(string_of(row, "name"));
    const auto key = parse_verification_key(row.at("jwk"));
    ASSERT_TRUE(key) << key.error().message;
    ASSERT_NE(key->public_key(), nullptr);
    EXPECT_EQ(thumbprint(*key->public_key()), string_of(row, "thumbprint"));
  }
}

TEST(Jwk, a_key_without_kid_is_named_by_its_thumbprint_and_a_mac_key_not_at_all) {
  const auto key = parse_verification_key(json::value(ec));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->kid(), thumbprint(*key->public_key()));
  const auto signing = parse_signing_key(json::value(ec));
  ASSERT_TRUE(signing);
  EXPECT_EQ(signing->kid(), key->kid());
  const auto mac = parse_verification_key(json::value(oct), MacKeys::accept);
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->kid(), "");
}

TEST(Jwk, J8_a_key_has_the_algorithm_it_says_or_the_default_of_its_type) {
  const auto algorithm_of = [](const json::object& jwk) {
    const auto key = parse_verification_key(json::value(jwk), MacKeys::accept);
    return std::string{key ? to_name(key->algorithm()) : "refused"};
  };
  EXPECT_EQ(algorithm_of(ec), "ES256");
  EXPECT_EQ(algorithm_of(okp), "EdDSA");
  EXPECT_EQ(algorithm_of(rsa), "RS256");
  EXPECT_EQ(algorithm_of(oct), "HS256");
  EXPECT_EQ(algorithm_of(with(rsa, "alg", "PS256")), "PS256");
  for (const char* alg : {"", "none", "rs256", "ES256", "HS256", "RS512", "RSA-OAEP"}) {
    EXPECT_EQ(algorithm_of(with(rsa, "alg", alg)), "refused") << alg;
  }
  EXPECT_EQ(algorithm_of(with(ec, "alg", "HS256")), "refused");
  EXPECT_EQ(algorithm_of(with(oct, "alg", "RS256")), "refused");
  EXPECT_EQ(algorithm_of(with(oct, "alg", "HS512")), "refused");
  EXPECT_EQ(algorithm_of(with(ec, "alg", 256)), "refused");
}

TEST(Jwk, J8_use_and_key_ops_are_kept) {
  EXPECT_TRUE(accepted(with(ec, "use", "sig")));
  EXPECT_FALSE(accepted(with(ec, "use", "enc")));
  EXPECT_FALSE(accepted(with(ec, "use", "")));
  EXPECT_FALSE(accepted(with(ec, "use", nullptr)));
  const auto public_ec = without(ec, "d");
  EXPECT_TRUE(accepted(with(public_ec, "key_ops", json::array{"verify"})));
  EXPECT_TRUE(accepted(with(ec, "key_ops", json::array{"sign"}))) << "the public part of a key that signs";
  EXPECT_FALSE(accepted(with(public_ec, "key_ops", json::array{"sign"})));
  EXPECT_FALSE(accepted(with(public_ec, "key_ops", json::array{})));
  EXPECT_FALSE(accepted(with(public_ec, "key_ops", json::array{"verify", "verify"})));
  EXPECT_FALSE(accepted(with(public_ec, "key_ops", json::array{"verify", 1})));
  EXPECT_FALSE(accepted(with(public_ec, "key_ops", "verify")));
  EXPECT_TRUE(signs(with(ec, "key_ops", json::array{"sign", "verify"})));
  EXPECT_FALSE(signs(with(ec, "key_ops", json::array{"verify"})));
}

TEST(Jwk, J11_unsound_keys_are_refused) {
  EXPECT_FALSE(accepted(with(ec, "crv", "P-384")));
  EXPECT_FALSE(accepted(with(ec, "crv", "p-256")));
  EXPECT_FALSE(accepted(without(ec, "crv")));
  EXPECT_FALSE(accepted(without(ec, "kty")));
  EXPECT_FALSE(accepted(with(ec, "kty", "ec")));
  EXPECT_FALSE(accepted(with(ec, "kty", 1)));
  EXPECT_FALSE(accepted(with(ec, "crv", 1)));
  EXPECT_FALSE(accepted(without(ec, "y")));
  EXPECT_FALSE(accepted(with(ec, "y", ec.at("x"))));
  EXPECT_FALSE(accepted(with(ec, "x", std::string{ec.at("x").as_string()} + "=")));
  EXPECT_FALSE(accepted(with(ec, "x", 1)));
  EXPECT_FALSE(accepted(with(okp, "crv", "X25519")));
  EXPECT_FALSE(accepted(with(okp, "x", std::string(43, 'A'))));
  EXPECT_FALSE(accepted(with(rsa, "e", "AQ")));
  EXPECT_FALSE(accepted(with(rsa, "e", "")));
  EXPECT_FALSE(accepted(with(rsa, "e", "AAEAAQ")));
  EXPECT_FALSE(accepted(with(rsa, "n", std::string(171, 'A') + "A")));
  EXPECT_FALSE(accepted(with(oct, "k", "")));
  EXPECT_FALSE(accepted(with(oct, "k", text::to_base64url(as_bytes(std::string(31, 'k'))))));
  EXPECT_TRUE(accepted(with(oct, "k", text::to_base64url(as_bytes(std::string(32, 'k'))))));
  EXPECT_FALSE(accepted(
      with(oct, "k", text::to_base64url(as_bytes(json::serialize(without(rsa, "d")).substr(0, 600))))));
  EXPECT_FALSE(parse_verification_key(json::value(oct))) << "a shared secret in a published set";
  EXPECT_FALSE(parse_verification_key(json::value("EC")));
}

TEST(Jwk, J11_a_private_part_must_fit) {
  EXPECT_TRUE(signs(ec));
  EXPECT_TRUE(signs(okp));
  EXPECT_TRUE(signs(rsa));
  EXPECT_TRUE(signs(oct));
  EXPECT_FALSE(signs(without(ec, "d")));
  EXPECT_FALSE(signs(without(ec, "x")));
  EXPECT_FALSE(signs(without(oct, "k")));
  EXPECT_FALSE(signs(with(ec, "d", ec.at("x"))));
  EXPECT_FALSE(signs(with(okp, "d", okp.at("x"))));
  for (const std::string_view name : {"d", "p", "q", "dp", "dq", "qi"}) {
    EXPECT_FALSE(signs(without(rsa, name))) << name;
    EXPECT_FALSE(signs(with(rsa, name, ""))) << name;
  }
  EXPECT_FALSE(signs(with(with(rsa, "d", rsa.at("dp")), "p", rsa.at("q"))));
  EXPECT_FALSE(signs(with(rsa, "oth", json::array{})));
  EXPECT_FALSE(parse_signing_key(json::value("EC")));
  EXPECT_TRUE(parse_signing_key(Secret{json::serialize(ec)}));
  EXPECT_FALSE(parse_signing_key(Secret{json::serialize(ec) + "}"}));
}

TEST(Jwk, J9_duplicate_members_are_refused) {
  auto text = json::serialize(ec);
  EXPECT_TRUE(parse_verification_key(text));
  text.insert(1, R"("kty":"EC",)");
  EXPECT_FALSE(parse_verification_key(text));
}

TEST(Jwk, J15_kid_is_a_string_of_1_to_128_bytes) {
  EXPECT_TRUE(accepted(with(ec, "kid", std::string(128, 'k'))));
  EXPECT_FALSE(accepted(with(ec, "kid", std::string(129, 'k'))));
  EXPECT_FALSE(accepted(with(ec, "kid", "")));
  EXPECT_FALSE(accepted(with(ec, "kid", 7)));
}

TEST(JwkSet, keys_that_cannot_be_used_are_skipped_and_said) {
  json::array keys{
      ec,  with(ec, "crv", "P-521"), json::object{{"kty", "AKP"}}, with(rsa, "use", "enc"), nullptr, rsa,
      oct, with(ec, "d", nullptr)};
  const auto set = parse_jwk_set(json::serialize(json::object{{"keys", keys}, {"other", 1}}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->keys.keys().size(), 2);
  EXPECT_EQ(set->skipped.size(), 6);
}

TEST(JwkSet, a_set_of_another_shape_or_with_too_many_keys_is_refused) {
  for (const std::string_view text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":null})", R"({"keys":[]}x)",
                                      R"({"keys":[],"keys":[]})"}) {
    EXPECT_FALSE(parse_jwk_set(text)) << text;
  }
  const auto set_of = [](std::size_t count) {
    return parse_jwk_set(json::serialize(json::object{{"keys", json::array(count, json::value(nullptr))}}));
  };
  EXPECT_TRUE(set_of(0));
  EXPECT_TRUE(set_of(limits::jwk_set_max_keys));
  EXPECT_FALSE(set_of(limits::jwk_set_max_keys + 1));
}

TEST(JwkSet, J4_what_is_published_has_no_private_member) {
  KeySet keys;
  for (const auto& jwk : {ec, rsa, okp}) keys.add(parse_signing_key(json::value(jwk))->verification_key());
  crypto::SystemRandom random;
  keys.add(SigningKey{"mac", crypto::MacKey::generate(random)}.verification_key());
  ASSERT_EQ(keys.keys().size(), 4);

  const auto text = to_public_jwk_set(keys);
  const auto published = text::parse_json(text)->as_object().at("keys").as_array();
  ASSERT_EQ(published.size(), 3);
  for (const auto& jwk : published) {
    for (const auto& [name, value] : jwk.as_object()) {
      EXPECT_TRUE(name == "kty" || name == "crv" || name == "x" || name == "y" || name == "n" ||
                  name == "e" || name == "alg" || name == "use" || name == "kid")
          << name;
    }
  }
  for (const auto& jwk : {ec, rsa, okp}) {
    EXPECT_EQ(text.find(std::string{jwk.at("d").as_string()}), std::string::npos);
  }
  const auto again = parse_jwk_set(text);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->skipped.empty());
  EXPECT_EQ(to_public_jwk_set(again->keys), text);
}

TEST(JwkSet, rfc8037_public_key_is_written_as_in_the_rfc) {
  const auto key = parse_verification_key(json::value(okp));
  ASSERT_TRUE(key);
  EXPECT_EQ(json::serialize(to_public_jwk("id", *key->public_key())),
            R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",)"
            R"("alg":"EdDSA","use":"sig","kid":"id"})");
}

}  // namespace
}  // namespace keyward::protocol::jose
