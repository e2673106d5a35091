#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "app/config/config.hpp"
#include "app/config/provider_check.hpp"
#include "base/testing/temporary_folder.hpp"

namespace keyward::app {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Variables = std::vector<std::pair<std::string, std::string>>;

class ProviderSettingsTest : public ::testing::Test {
 protected:
  auto load(std::string_view toml, Variables environment = {}) {
    const auto file = folder_.path() / "keyward.toml";
    std::ofstream{file} << toml;
    return load_config({.file = file, .environment = std::move(environment), .flags = {}});
  }
  std::vector<std::string> errors_of(std::string_view toml, Variables environment = {}) {
    std::vector<std::string> texts;
    const auto config = load(toml, std::move(environment));
    if (config) return texts;
    for (const auto& error : config.error()) texts.push_back(to_text(error));
    return texts;
  }
  TemporaryFolder folder_;
};

TEST_F(ProviderSettingsTest, a_known_provider_needs_an_id_and_a_secret) {
  const auto config = load("[providers.google]\nclient_id = 'a'\nclient_secret = 'b'\n");
  ASSERT_TRUE(config.has_value());
  const auto& google = config->providers.at("google");
  EXPECT_EQ(type_of("google", google), "google");
  EXPECT_EQ(issuer_of("google", google), "https://accounts.google.com");
  EXPECT_THAT(errors_of("[providers.google]\nclient_secret = 'b'\n"),
              ElementsAre(AllOf(HasSubstr("providers.google.client_id"), HasSubstr("is needed"))));
  EXPECT_THAT(errors_of("[providers.google]\nclient_id = 'b'\n"),
              ElementsAre(HasSubstr("providers.google.client_secret")));
}

TEST_F(ProviderSettingsTest, any_other_provider_needs_its_issuer) {
  EXPECT_THAT(errors_of("[providers.my-idp]\nclient_id = 'a'\nclient_secret = 'b'\n"),
              ElementsAre(HasSubstr("providers.my-idp.issuer")));
  const auto with = [&](const std::string& issuer) {
    return errors_of("[providers.x]\nclient_id = 'a'\nclient_secret = 'b'\nissuer = '" + issuer + "'\n");
  };
  EXPECT_THAT(with("https://op.example/realms/one"), IsEmpty());
  EXPECT_THAT(with("http://127.0.0.1:9000"), IsEmpty());
  EXPECT_THAT(with("http://op.example"), ElementsAre(HasSubstr("https://")));
  EXPECT_THAT(with("ftp://op.example"), ElementsAre(HasSubstr("providers.x.issuer")));
  EXPECT_THAT(with("https://user@op.example"), ElementsAre(HasSubstr("providers.x.issuer")));
  EXPECT_THAT(with("https://op.example?x=1"), ElementsAre(HasSubstr("query")));
}

TEST_F(ProviderSettingsTest, clear_text_is_for_a_machine_of_ones_own) {
  EXPECT_THAT(
      errors_of(
          "[server]\npublic_url = 'https://id.example.com'\n[mail]\nsmtp_url = 'smtps://m.example'\nfrom = "
          "'a@example.com'\n[providers.x]\nclient_id = 'a'\nclient_secret = 'b'\nissuer = "
          "'http://127.0.0.1:9'\n"),
      ElementsAre(HasSubstr("providers.x.issuer")));
}

TEST_F(ProviderSettingsTest, F6_a_microsoft_tenant_is_one) {
  const auto with = [&](const std::string& tenant) {
    return errors_of("[providers.microsoft]\nclient_id = 'a'\nclient_secret = 'b'\ntenant = '" + tenant +
                     "'\n");
  };
  for (const auto* const open : {"common", "organizations", "consumers", "example.com"})
    EXPECT_THAT(with(open), ElementsAre(HasSubstr("providers.microsoft.tenant"))) << open;
  EXPECT_THAT(with("9188040d-6c67-4c5b-b112-36a304b66dad"), IsEmpty());
  EXPECT_THAT(errors_of("[providers.microsoft]\nclient_id = 'a'\nclient_secret = 'b'\n"),
              ElementsAre(HasSubstr("providers.microsoft.tenant")));
}

TEST_F(ProviderSettingsTest, apple_signs_its_secret) {
  EXPECT_THAT(errors_of("[providers.apple]\nclient_id = 'a'\nclient_secret = 'b'\n"),
              ::testing::UnorderedElementsAre(HasSubstr("private_key"), HasSubstr("client_secret"),
                                              HasSubstr("team_id"), HasSubstr("key_id")));
}

TEST_F(ProviderSettingsTest, the_scopes_of_an_openid_provider_have_openid) {
  EXPECT_THAT(
      errors_of("[providers.google]\nclient_id = 'a'\nclient_secret = 'b'\nscopes = 'email profile'\n"),
      ElementsAre(HasSubstr("providers.google.scopes")));
  EXPECT_THAT(errors_of("[providers.github]\nclient_id = 'a'\nclient_secret = 'b'\nscopes = 'user:email'\n"),
              IsEmpty());
}

TEST_F(ProviderSettingsTest, names_and_keys_that_are_none_are_told) {
  EXPECT_THAT(errors_of("[providers.Google]\nclient_id = 'a'\n"), ElementsAre(HasSubstr("small letters")));
  EXPECT_THAT(errors_of("[providers.google]\nclientid = 'a'\n"),
              Contains(AllOf(HasSubstr("providers.google.clientid"), HasSubstr("client_id"))));
  EXPECT_THAT(errors_of("", {{"KEYWARD_PROVIDERS_GOOGLE_CLIENTID", "a"}}),
              ElementsAre(HasSubstr("KEYWARD_PROVIDERS_GOOGLE_CLIENTID")));
}

TEST_F(ProviderSettingsTest, the_environment_has_a_variable_for_each) {
  const auto config = load("[providers.my-idp]\nissuer = 'https://op.example'\nclient_id = 'of the file'\n",
                           {{"KEYWARD_PROVIDERS_MY_IDP_CLIENT_ID", "a"},
                            {"KEYWARD_PROVIDERS_MY_IDP_CLIENT_SECRET", "s"},
                            {"KEYWARD_PROVIDERS_MY_IDP_TRUSTED_DOMAINS", "example.com, example.org"}});
  ASSERT_TRUE(config.has_value());
  const auto& provider = config->providers.at("my-idp");
  EXPECT_EQ(provider.client_id, "a");
  EXPECT_EQ(provider.client_secret.text(), "s");
  EXPECT_THAT(provider.trusted_domains, ElementsAre("example.com", "example.org"));
}

TEST_F(ProviderSettingsTest, L2_secrets_come_from_files_and_are_not_shown) {
  const auto path = folder_.path() / "key.pem";
  std::ofstream{path} << "-----BEGIN PRIVATE KEY-----\nc4nary\n-----END PRIVATE KEY-----\n";
  const auto config = load("[providers.google]\nclient_id = 'a'\nclient_authentication = 'private_key_jwt'\n",
                           {{"KEYWARD_PROVIDERS_GOOGLE_PRIVATE_KEY_FILE", path.string()}});
  ASSERT_TRUE(config.has_value()) << to_text(config.error().front());
  EXPECT_THAT(std::string{config->providers.at("google").private_key.text()}, HasSubstr("\nc4nary\n"));
  bool seen = false;
  for (const auto& row : show_config(*config)) {
    EXPECT_THAT(row.value, Not(HasSubstr("c4nary")));
    if (row.key == "providers.google.private_key") seen = row.value == "********";
  }
  EXPECT_TRUE(seen);
  EXPECT_THAT(errors_of("[providers.google]\nclient_id = 'a'\n",
                        {{"KEYWARD_PROVIDERS_GOOGLE_CLIENT_SECRET_FILE", "/nowhere"}}),
              Contains(HasSubstr("cannot be read")));
}

TEST_F(ProviderSettingsTest, F8_origins_to_return_to_are_written_as_browsers_write_them) {
  EXPECT_EQ(load("[social]\nreturn_to_origins = ['https://app.example.com']\n")->social.return_to_origins,
            std::vector<std::string>{"https://app.example.com"});
  EXPECT_THAT(errors_of("[social]\nreturn_to_origins = ['https://app.example.com/signed-in']\n"), IsEmpty());
  for (const auto* const bad :
       {"https://app.example.com/a/../b", "https://App.example.com", "*", "http://app.example.com"})
    EXPECT_THAT(errors_of("[social]\nreturn_to_origins = ['" + std::string{bad} + "']\n"),
                ElementsAre(HasSubstr("social.return_to_origins")))
        << bad;
}

}  // namespace
}  // namespace keyward::app
