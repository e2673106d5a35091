#include "protocol/oidc/provider_metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "base/limits.hpp"
#include "text/json.hpp"

namespace keyward::protocol::oidc {
namespace {

namespace json = text::json;
using jose::Algorithm;
using oauth2::ClientAuthentication;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view issuer = "https://op.example/tenant";

json::object good() {
  return {{"issuer", issuer},
          {"authorization_endpoint", "https://op.example/authorize?tenant=1"},
          {"token_endpoint", "https://token.op.example:8443/token"},
          {"userinfo_endpoint", "https://op.example/userinfo"},
          {"jwks_uri", "https://op.example/jwks"},
          {"response_types_supported", {"code", "id_token"}},
          {"id_token_signing_alg_values_supported", {"none", "HS256", "RS256", "ES384", "RS256", "ES256"}},
          {"token_endpoint_auth_methods_supported",
           {"client_secret_jwt", "client_secret_post", "private_key_jwt", "client_secret_post"}},
          {"code_challenge_methods_supported", {"plain", "S256"}},
          {"authorization_response_iss_parameter_supported", true},
          {"something_else", {{"a", json::array{1, nullptr}}}}};
}

std::string reason_of(const json::object& metadata, bool clear_text_allowed = false) {
  const auto result = parse_provider_metadata(json::serialize(metadata), issuer, clear_text_allowed);
  return result ? "accepted" : std::string{to_word(result.error().reason)};
}
std::string reason_with(std::string_view name, const auto& value, bool clear_text_allowed = false) {
  auto metadata = good();
  metadata[name] = value;
  return reason_of(metadata, clear_text_allowed);
}
ProviderMetadata read(const json::object& metadata) {
  return parse_provider_metadata(json::serialize(metadata), issuer, false).value();
}

TEST(ProviderMetadata, is_read) {
  const auto metadata = read(good());
  EXPECT_EQ(metadata.issuer, issuer);
  EXPECT_EQ(metadata.authorization_endpoint, "https://op.example/authorize?tenant=1");
  EXPECT_EQ(metadata.token_endpoint, "https://token.op.example:8443/token");
  EXPECT_EQ(metadata.userinfo_endpoint, "https://op.example/userinfo");
  EXPECT_EQ(metadata.jwks_uri, "https://op.example/jwks");
  EXPECT_THAT(metadata.id_token_algorithms, ElementsAre(Algorithm::rs256, Algorithm::es256));
  EXPECT_THAT(metadata.client_authentications,
              ElementsAre(ClientAuthentication::post, ClientAuthentication::private_key_jwt));
  EXPECT_TRUE(metadata.iss_parameter);
  EXPECT_TRUE(metadata.pkce_s256);
}

TEST(ProviderMetadata, what_is_optional_has_the_defaults_of_the_specification) {
  auto least = good();
  for (const std::string_view name :
       {"userinfo_endpoint", "token_endpoint_auth_methods_supported", "code_challenge_methods_supported",
        "authorization_response_iss_parameter_supported", "response_types_supported"}) {
    least.erase(name);
  }
  const auto metadata = read(least);
  EXPECT_EQ(metadata.userinfo_endpoint, "");
  EXPECT_THAT(metadata.client_authentications, ElementsAre(ClientAuthentication::basic));
  EXPECT_FALSE(metadata.iss_parameter);
  EXPECT_FALSE(metadata.pkce_s256);
  least["token_endpoint_auth_methods_supported"] = json::array{"tls_client_auth"};
  EXPECT_THAT(read(least).client_authentications, IsEmpty());
}

TEST(ProviderMetadata, F5_the_issuer_is_exactly_the_configured_one) {
  for (const std::string_view other :
       {"https://op.example/Tenant", "https://op.example/tenant/", "https://op.example",
        "https://OP.example/tenant", "http://op.example/tenant", "https://op.example:443/tenant",
        "https://op.example/tenant?x", "https://op.example/{tenantid}", "https://evil.example",
        " https://op.example/tenant"}) {
    EXPECT_EQ(reason_with("issuer", other), "issuer_mismatch") << other;
    EXPECT_FALSE(parse_provider_metadata(json::serialize(good()), other, false)) << other;
  }
  EXPECT_EQ(reason_with("issuer", ""), "invalid_claim");
  EXPECT_EQ(reason_with("issuer", nullptr), "invalid_claim");
  EXPECT_EQ(reason_with("issuer", json::array{issuer}), "invalid_claim");
}

TEST(ProviderMetadata, what_is_required_is_required) {
  for (const std::string_view name : {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri",
                                      "id_token_signing_alg_values_supported"}) {
    auto metadata = good();
    metadata.erase(name);
    EXPECT_EQ(reason_of(metadata), "missing_claim") << name;
  }
}

TEST(ProviderMetadata, F7_every_endpoint_is_https) {
  for (const std::string_view name :
       {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}) {
    EXPECT_EQ(reason_with(name, "http://op.example/x"), "endpoint_in_clear") << name;
    EXPECT_EQ(reason_with(name, "http://127.0.0.1:8080/x", true), "accepted") << name;
    for (const bool clear_text_allowed : {false, true}) {
      for (const std::string_view url : {"javascript:alert(1)",
                                         "file:///etc/passwd",
                                         "ftp://op.example/x",
                                         "//op.example/x",
                                         "/x",
                                         "op.example/x",
                                         "HTTPS://op.example/x",
                                         "https:op.example",
                                         "https://",
                                         "https:///x",
                                         "https://?x",
                                         "https://user@op.example/x",
                                         "https://user:password@op.example/x",
                                         "https://op.example\\@evil.example/",
                                         "https://op.example/x#fragment",
                                         "https://op.example/a b",
                                         "https://op.example/\r\nX: y",
                                         "https://op.exämple/x",
                                         "https://op.example/%",
                                         "https://op.example/\"x",
                                         " https://op.example/x"}) {
        EXPECT_EQ(reason_with(name, url, clear_text_allowed), "invalid_claim") << name << " " << url;
      }
      EXPECT_EQ(reason_with(name, 7, clear_text_allowed), "invalid_claim") << name;
      EXPECT_EQ(reason_with(name, json::array{"https://op.example/x"}, clear_text_allowed), "invalid_claim");
    }
    EXPECT_EQ(reason_with(name, "https://op.example/" + std::string(limits::outbound_url_max_bytes, 'x')),
              "invalid_claim");
    EXPECT_EQ(reason_with(name, "https://[2001:db8::1]:8443/x?y=z"), "accepted") << name;
  }
}

TEST(ProviderMetadata, J8_only_algorithms_that_prove_something_are_taken) {
  constexpr std::string_view name = "id_token_signing_alg_values_supported";
  auto metadata = good();
  metadata[name] = {"PS256", "EdDSA", "HS256", "none", "es256", ""};
  EXPECT_THAT(read(metadata).id_token_algorithms, ElementsAre(Algorithm::ps256, Algorithm::eddsa));
  for (const auto& list : {json::array{"none"}, json::array{"HS256"}, json::array{"RS384", "RS512", "ES384"},
                           json::array{"es256"}, json::array{"none", "HS256", "HS512"}}) {
    EXPECT_EQ(reason_with(name, list), "algorithm_mismatch") << json::serialize(list);
  }
  EXPECT_EQ(reason_with(name, "RS256"), "invalid_claim");
  EXPECT_EQ(reason_with(name, json::array{"RS256", 7}), "invalid_claim");
  EXPECT_EQ(reason_with(name, json::array{}), "missing_claim");
}

TEST(ProviderMetadata, nothing_in_common_is_said_in_words) {
  auto metadata = good();
  metadata["id_token_signing_alg_values_supported"] = {"RS384", "ES384"};
  const auto refused = parse_provider_metadata(json::serialize(metadata), issuer, false);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("RS384, ES384"));
  EXPECT_THAT(refused.error().detail, HasSubstr("ES256, EdDSA, RS256 and PS256"));
}

TEST(ProviderMetadata, members_of_another_type_are_refused) {
  EXPECT_EQ(reason_with("authorization_response_iss_parameter_supported", "true"), "invalid_claim");
  EXPECT_EQ(reason_with("authorization_response_iss_parameter_supported", 1), "invalid_claim");
  EXPECT_EQ(reason_with("code_challenge_methods_supported", "S256"), "invalid_claim");
  EXPECT_EQ(reason_with("token_endpoint_auth_methods_supported", "client_secret_basic"), "invalid_claim");
  EXPECT_EQ(reason_with("response_types_supported", "code"), "invalid_claim");
  EXPECT_EQ(reason_with("response_types_supported", json::array{"token", "code id_token"}), "invalid_claim");
}

TEST(ProviderMetadata, what_is_no_document_is_refused) {
  const auto reason = [](std::string_view text) {
    const auto result = parse_provider_metadata(text, issuer, false);
    return result ? "accepted" : std::string{to_word(result.error().reason)};
  };
  EXPECT_EQ(reason(""), "malformed");
  EXPECT_EQ(reason("<html>"), "malformed");
  EXPECT_EQ(reason("[]"), "malformed");
  auto twice = json::serialize(good());
  twice.insert(1, R"("issuer":"https://op.example/tenant",)");
  EXPECT_EQ(reason(twice), "malformed");
  EXPECT_EQ(reason("{\"a\":\"" + std::string(limits::json_max_bytes, 'x') + "\"}"), "too_large");
  EXPECT_EQ(reason(std::string(20, '[')), "malformed");
}

TEST(ProviderMetadata, long_lists_cost_nothing) {
  json::array many;
  while (many.size() < 12'000) many.emplace_back("RS256");
  many.emplace_back("ES256");
  auto metadata = good();
  for (const std::string_view name : {"id_token_signing_alg_values_supported", "scopes_supported"})
    metadata[name] = many;
  EXPECT_GT(json::serialize(metadata).size(), 100U * 1024);
  EXPECT_THAT(read(metadata).id_token_algorithms, ElementsAre(Algorithm::rs256, Algorithm::es256));
  for (auto& each : many) each = "an algorithm";
  many.resize(5000);
  metadata["scopes_supported"] = nullptr;
  metadata["id_token_signing_alg_values_supported"] = many;
  const auto refused = parse_provider_metadata(json::serialize(metadata), issuer, false);
  ASSERT_FALSE(refused);
  EXPECT_LT(refused.error().detail.size(), 2 * limits::provider_text_max_bytes);
}

TEST(ProviderMetadata, its_address_has_one_slash) {
  EXPECT_EQ(metadata_url("https://op.example"), "https://op.example/.well-known/openid-configuration");
  EXPECT_EQ(metadata_url("https://op.example/"), "https://op.example/.well-known/openid-configuration");
  EXPECT_EQ(metadata_url("https://op.example/a/b"),
            "https://op.example/a/b/.well-known/openid-configuration");
}

}  // namespace
}  // namespace keyward::protocol::oidc
