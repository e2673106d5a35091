#include "app/config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "app/config/settings.hpp"

namespace keyward::app {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() { std::filesystem::create_directories(folder_); }
  ~ConfigTest() override { std::filesystem::remove_all(folder_); }
  ConfigTest(const ConfigTest&) = delete;
  ConfigTest& operator=(const ConfigTest&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view content) {
    const auto path = folder_ / name;
    std::ofstream{path, std::ios::binary} << content;
    return path;
  }

  ConfigSources with_file(std::string_view toml) {
    return {.file = write("keyward.toml", toml), .environment = {}, .flags = {}};
  }
  static ConfigSources with_environment(std::vector<std::pair<std::string, std::string>> variables) {
    return {.file = {}, .environment = std::move(variables), .flags = {}};
  }

  static std::vector<std::string> errors_of(const ConfigSources& sources) {
    std::vector<std::string> texts;
    auto config = load_config(sources);
    if (config) return texts;
    for (const ConfigError& error : config.error()) texts.push_back(to_text(error));
    return texts;
  }

 private:
  std::filesystem::path folder_ =
      std::filesystem::path{::testing::TempDir()} /
      ("keyward-config-" + std::string{::testing::UnitTest::GetInstance()->current_test_info()->name()} +
       "-" + std::to_string(::getpid()));
};

TEST_F(ConfigTest, nothing_needs_configuring_to_start) {
  const auto config = load_config({});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(to_text(config->server.listen), "127.0.0.1:8080");
  EXPECT_EQ(config->server.public_url, "http://127.0.0.1:8080");
  EXPECT_EQ(config->tokens.issuer, "http://127.0.0.1:8080");
  EXPECT_EQ(config->tokens.audience, "http://127.0.0.1:8080");
  EXPECT_EQ(config->tokens.access_token_lifetime_s, std::chrono::seconds{900});
  EXPECT_EQ(config->storage.data, "./keyward-data");
  EXPECT_TRUE(config->limits.enabled);
  EXPECT_TRUE(config->secrets.master_key.bytes.empty());
  EXPECT_THAT(config->warnings, IsEmpty());
}

TEST_F(ConfigTest, a_flag_wins_over_the_environment_over_the_file_over_the_default) {
  ConfigSources sources = with_file("[storage]\nreaders = 3\n[server]\nloops = 3\nbody_max_bytes = 3000\n");
  sources.environment = {{"KEYWARD_SERVER_LOOPS", "4"}, {"KEYWARD_SERVER_BODY_MAX_BYTES", "4000"}};
  sources.flags = {{"server.body_max_bytes", "5000"}};
  const auto config = load_config(sources);
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->storage.readers, 3U);
  EXPECT_EQ(config->server.loops, 4U);
  EXPECT_EQ(config->server.body_max_bytes, 5000U);
  EXPECT_EQ(config->origins.at("server.body_max_bytes"), "flag");
  EXPECT_EQ(config->origins.at("server.loops"), "environment KEYWARD_SERVER_LOOPS");
  EXPECT_THAT(config->origins.at("storage.readers"), HasSubstr("keyward.toml:2"));
  EXPECT_FALSE(config->origins.contains("server.listen"));
}

TEST_F(ConfigTest, the_environment_names_the_file_unless_a_flag_did) {
  ConfigSources sources =
      with_environment({{"KEYWARD_CONFIG", write("named.toml", "[server]\nloops = 7").string()}});
  EXPECT_EQ(load_config(sources)->server.loops, 7U);
  sources.file = write("given.toml", "[server]\nloops = 8");
  EXPECT_EQ(load_config(sources)->server.loops, 8U);
}

TEST_F(ConfigTest, an_unknown_key_names_the_nearest_with_file_and_line) {
  EXPECT_THAT(errors_of(with_file("[limits]\n\nenabeld = false\n")),
              ElementsAre(AllOf(StartsWith("limits.enabeld ("), HasSubstr("keyward.toml:3"),
                                HasSubstr("is no setting; did you mean limits.enabled?"))));
  EXPECT_THAT(errors_of(with_file("listen = ':1'")), ElementsAre(HasSubstr("did you mean server.listen?")));
  EXPECT_THAT(errors_of(with_file("[tokns]\nissuer = 'x'")),
              ElementsAre(HasSubstr("did you mean tokens.issuer?")));
  EXPECT_THAT(errors_of(with_file("[serverr]\n")), ElementsAre(HasSubstr("is no setting")));
  EXPECT_THAT(errors_of(with_file("[server.tls]\ncert = 'x'")), ElementsAre(HasSubstr("server.tls.cert")));
  EXPECT_THAT(errors_of(with_file("[server]\n")), IsEmpty());
}

TEST_F(ConfigTest, an_unknown_variable_names_the_nearest) {
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_LIMIT_ENABLED", "false"}})),
              ElementsAre(HasSubstr("did you mean KEYWARD_LIMITS_ENABLED?")));
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_SERVER_LISTEN_FILE", "/x"}})),
              ElementsAre(HasSubstr("is no setting")));
  EXPECT_THAT(errors_of(with_environment({{"PATH", "/bin"}, {"KEYWARDEN", "1"}})), IsEmpty());
}

TEST_F(ConfigTest, variables_that_an_orchestrator_makes_are_not_ours) {
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_SERVICE_HOST", "10.0.0.1"},
                                          {"KEYWARD_SERVICE_PORT_HTTP", "80"},
                                          {"KEYWARD_PORT", "tcp://10.0.0.1:80"},
                                          {"KEYWARD_PORT_80_TCP_ADDR", "10.0.0.1"}})),
              IsEmpty());
}

TEST_F(ConfigTest, every_bad_value_is_reported_at_once) {
  ConfigSources sources =
      with_file("[server]\nloops = 'many'\nlisten = 8080\n[tokens]\nalgorithm = 'HS256'\n");
  sources.environment = {{"KEYWARD_LIMITS_ENABLED", "yes"}};
  sources.flags = {{"server.public_url", "example.com"}};
  EXPECT_THAT(errors_of(sources),
              ::testing::UnorderedElementsAre(
                  AllOf(HasSubstr("server.loops"), HasSubstr(":2"), HasSubstr("\"many\""),
                        HasSubstr("from 0 to 1024")),
                  AllOf(HasSubstr("server.listen"), HasSubstr("ADDRESS:PORT")),
                  AllOf(HasSubstr("tokens.algorithm"), HasSubstr("one of ES256, EdDSA, RS256, PS256")),
                  AllOf(HasSubstr("limits.enabled"), HasSubstr("true or false")),
                  AllOf(HasSubstr("server.public_url (flag)"), HasSubstr("https://"))));
}

TEST_F(ConfigTest, numbers_keep_their_bounds) {
  const auto errors = [](std::string value) {
    return errors_of(with_environment({{"KEYWARD_TOKENS_ACCESS_TOKEN_LIFETIME_S", std::move(value)}}));
  };
  for (const char* good : {"60", "900", "3600"}) EXPECT_THAT(errors(good), IsEmpty()) << good;
  for (const char* bad : {"59", "3601", "-900", "", " 900", "900s", "9e2", "99999999999999999999", "0x384"}) {
    EXPECT_THAT(errors(bad), ElementsAre(HasSubstr("from 60 to 3600"))) << bad;
  }
}

TEST_F(ConfigTest, a_file_keeps_its_types) {
  EXPECT_THAT(errors_of(with_file("[server]\nloops = '2'")), ElementsAre(HasSubstr("whole number")));
  EXPECT_THAT(errors_of(with_file("[limits]\nenabled = 'false'")), ElementsAre(HasSubstr("true or false")));
  EXPECT_THAT(errors_of(with_file("[server]\nloops = 2.0")), ElementsAre(HasSubstr("whole number")));
  EXPECT_THAT(errors_of(with_file("[server]\nlisten = ['a']")), ElementsAre(HasSubstr("ADDRESS:PORT")));
}

TEST_F(ConfigTest, a_file_that_is_missing_or_broken_is_one_error) {
  EXPECT_THAT(errors_of({.file = "/nowhere/keyward.toml", .environment = {}, .flags = {}}),
              ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(errors_of({.file = "/", .environment = {}, .flags = {}}),
              ElementsAre(HasSubstr("cannot be read")));
  EXPECT_THAT(errors_of(with_file("[server]\nlisten = \n")),
              ElementsAre(AllOf(HasSubstr(":2"), HasSubstr("is not TOML"))));
  EXPECT_THAT(errors_of(with_file("\n[(\n")), ElementsAre(AllOf(HasSubstr(":2"), HasSubstr("is not TOML"))));
  for (const std::string line :
       {"l\xC3\xB4isten = 1", "\xE3\x81\x82 = 1", "listen \xC3\xB4 = 1", "[\xEF\xBB\xBA]"}) {
    EXPECT_THAT(errors_of(with_file("\n" + line)),
                ElementsAre(AllOf(HasSubstr(":2"), HasSubstr("is not TOML"))))
        << line;
  }
}

TEST_F(ConfigTest, a_value_that_is_no_text_is_refused) {
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_STORAGE_URL", "a\xFF"}})),
              ElementsAre(AllOf(HasSubstr("storage.url"), HasSubstr("is not UTF-8"))));
}

TEST_F(ConfigTest, P8_parameters_under_the_floor_are_refused) {
  EXPECT_THAT(errors_of(with_file("[passwords]\nargon2_memory_kib = 19455")),
              ElementsAre(HasSubstr("from 19456")));
  EXPECT_THAT(errors_of(with_file("[passwords]\nargon2_iterations = 1")),
              ElementsAre(HasSubstr("at least 47104")));
  EXPECT_THAT(errors_of(with_file("[passwords]\nargon2_iterations = 0")), ElementsAre(HasSubstr("from 1")));
  EXPECT_THAT(errors_of(with_file("[passwords]\nargon2_memory_kib = 47104\nargon2_iterations = 1")),
              IsEmpty());
}

TEST_F(ConfigTest, P1_the_least_length_is_one_setting_and_never_under_eight) {
  EXPECT_EQ(load_config({})->passwords.min_length, 8U);
  EXPECT_EQ(load_config(with_environment({{"KEYWARD_PASSWORDS_MIN_LENGTH", "15"}}))->passwords.min_length,
            15U);
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_PASSWORDS_MIN_LENGTH", "7"}})),
              ElementsAre(HasSubstr("from 8")));
}

TEST_F(ConfigTest, a_session_cannot_end_before_its_token) {
  EXPECT_THAT(errors_of(with_file("[tokens]\nrefresh_idle_s = 7200\nrefresh_absolute_s = 3600")),
              ElementsAre(HasSubstr("less than tokens.refresh_idle_s")));
}

constexpr const char* key_hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* key_base64url = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

TEST_F(ConfigTest, the_master_key_is_hexadecimal_or_base64url) {
  const auto from_hex = load_config(with_environment({{"KEYWARD_MASTER_KEY", key_hex}}));
  const auto from_base64url = load_config(with_environment({{"KEYWARD_SECRETS_MASTER_KEY", key_base64url}}));
  ASSERT_TRUE(from_hex.has_value());
  ASSERT_TRUE(from_base64url.has_value());
  EXPECT_EQ(from_hex->secrets.master_key.bytes.size(), 32U);
  EXPECT_EQ(from_hex->secrets.master_key.bytes.text(), from_base64url->secrets.master_key.bytes.text());
}

TEST_F(ConfigTest, the_master_key_comes_from_a_file_less_its_last_line_feed) {
  for (const char* ending : {"", "\n", "\r\n"}) {
    const auto path = write("master.key", std::string{key_hex} + ending);
    const auto config = load_config(with_environment({{"KEYWARD_MASTER_KEY_FILE", path.string()}}));
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->secrets.master_key.bytes.size(), 32U);
  }
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_MASTER_KEY_FILE", "/nowhere"}})),
              ElementsAre(HasSubstr("/nowhere cannot be read")));
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_MASTER_KEY_FILE", write("k", key_hex).string()},
                                          {"KEYWARD_SECRETS_MASTER_KEY", key_hex}})),
              Contains(HasSubstr("give one")));
}

TEST_F(ConfigTest, L2_a_secret_is_never_shown) {
  const auto config = load_config(with_environment({{"KEYWARD_MASTER_KEY", key_hex}}));
  ASSERT_TRUE(config.has_value());
  for (const ShownSetting& shown : show_config(*config)) {
    EXPECT_THAT(shown.value, Not(HasSubstr("0001")));
    if (shown.key == "secrets.master_key") EXPECT_EQ(shown.value, "********");
  }
  const std::string bad = std::string{key_hex}.substr(2);
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_MASTER_KEY", bad}})),
              ElementsAre(AllOf(HasSubstr("32 bytes"), Not(HasSubstr("0203")))));
  EXPECT_THAT(errors_of(with_file("[secrets]\nmaster_key = '" + bad + "'")),
              ElementsAre(AllOf(HasSubstr("32 bytes"), Not(HasSubstr("0203")))));
}

TEST_F(ConfigTest, L2_the_database_url_is_shown_without_its_password) {
  const auto shown = [](const Config& config) {
    std::string value;
    for (const auto& row : show_config(config)) {
      if (row.key == "storage.url") value = row.value;
    }
    return value;
  };
  const std::string url = "postgres://ada:c4nary@db.example.com/keyward";
  for (const auto& sources :
       {with_environment({{"KEYWARD_STORAGE_URL", url}}),
        with_environment({{"KEYWARD_STORAGE_URL_FILE", write("url", url + "\n").string()}})}) {
    const auto config = load_config(sources);
    ASSERT_TRUE(config.has_value());
    EXPECT_TRUE(is_postgres(config->storage.url));
    EXPECT_EQ(config->storage.url.text.text(), url);
    EXPECT_EQ(shown(*config), R"("postgres://ada:********@db.example.com/keyward")");
  }
  const auto file = load_config(with_file("[storage]\nurl = '/srv/keyward.db'\n"));
  ASSERT_TRUE(file.has_value());
  EXPECT_FALSE(is_postgres(file->storage.url));
  EXPECT_EQ(shown(*file), R"("/srv/keyward.db")");
  for (const std::string bad : {"postgres://ada:c4nary%zz@db/x", "mysql://ada:c4nary@db/x",
                                "host=db password=c4nary", "postgres://db/x?pasword=c4nary"}) {
    EXPECT_THAT(
        errors_of(with_environment({{"KEYWARD_STORAGE_URL", bad}})),
        ElementsAre(AllOf(HasSubstr("storage.url"), HasSubstr("postgres://"), Not(HasSubstr("c4nary")))))
        << bad;
  }
}

TEST_F(ConfigTest, L2_a_bad_value_cannot_break_the_line_it_is_told_in) {
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_LOG_LEVEL", "loud\n\x1b[31m"}})),
              ElementsAre(AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b")))));
}

TEST_F(ConfigTest, the_template_shows_every_setting_and_loads_as_the_defaults) {
  const std::string text = config_template();
  EXPECT_THAT(errors_of(with_file(text)), IsEmpty());
  for (const Setting& setting : settings()) {
    EXPECT_THAT(text, HasSubstr("# " + std::string{setting.key.substr(setting.key.find('.') + 1)} + " = "))
        << setting.key;
  }
  // With the comment signs of all settings that have a default taken away, nothing changes.
  const std::string active = std::regex_replace(text, std::regex{"(^|\\n)# (\\w+ = [^\\n]+)"}, "$1$2");
  const std::string without_derived =
      std::regex_replace(active, std::regex{"(^|\\n)\\w+ = \"\"  # default[^\\n]*"}, "$1");
  const auto loaded = load_config(with_file(without_derived));
  ASSERT_TRUE(loaded.has_value());
  const auto defaults = show_config(*load_config({}));
  const auto shown = show_config(*loaded);
  ASSERT_EQ(shown.size(), defaults.size());
  for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_EQ(shown[i].value, defaults[i].value) << shown[i].key;
  EXPECT_GT(loaded->origins.size(), 20U);
}

TEST_F(ConfigTest, A4_trusted_proxies_are_a_list_without_slips) {
  const auto config = load_config(with_environment({{"KEYWARD_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1"}}));
  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(config->server.trusted_proxies.trusts(text::IpAddress::parse("10.1.2.3").value()));
  EXPECT_TRUE(load_config(with_environment({{"KEYWARD_SERVER_TRUSTED_PROXIES", ""}}))
                  ->server.trusted_proxies.empty());
  EXPECT_THAT(errors_of(with_file("[server]\ntrusted_proxies = '10.0.0.1/8'")),
              ElementsAre(AllOf(HasSubstr("server.trusted_proxies"), HasSubstr("behind its prefix"))));
  for (const std::string everybody : {"::/0", "0.0.0.0/0", "::/8", "::/80"}) {
    EXPECT_THAT(errors_of(with_file("[server]\ntrusted_proxies = '" + everybody + "'")),
                ElementsAre(HasSubstr("trusts everybody")))
        << everybody;
  }
  EXPECT_THAT(errors_of(with_file("[server]\ntrusted_proxies = true")), ElementsAre(HasSubstr("networks")));
}

TEST_F(ConfigTest, A1_the_limits_have_bounds) {
  for (const auto* const value : {"0", "21", "-1", "many"}) {
    EXPECT_THAT(errors_of(with_environment({{"KEYWARD_LIMITS_LOGIN_ATTEMPTS", value}})),
                ElementsAre(HasSubstr("from 1 to 20")));
  }
  const auto config = load_config({});
  EXPECT_EQ(config->limits.login_attempts, 5U);
  EXPECT_EQ(config->limits.login_window_s, std::chrono::seconds{900});
}

TEST_F(ConfigTest, the_public_url_is_the_issuer_and_the_audience_unless_they_are_set) {
  const auto config =
      load_config(with_environment({{"KEYWARD_SERVER_PUBLIC_URL", "https://ID.Example.com:443/"}}));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->server.public_url, "https://id.example.com");
  EXPECT_EQ(config->tokens.issuer, "https://id.example.com");
  EXPECT_EQ(config->tokens.audience, "https://id.example.com");
  EXPECT_EQ(load_config(with_environment({{"KEYWARD_TOKENS_AUDIENCE", "api"}}))->tokens.audience, "api");
}

TEST_F(ConfigTest, a_public_url_in_clear_is_warned_of) {
  EXPECT_THAT(
      load_config(with_environment({{"KEYWARD_SERVER_PUBLIC_URL", "http://id.example.com"}}))->warnings,
      Contains(HasSubstr("not https")));
  EXPECT_THAT(load_config(with_environment({{"KEYWARD_SERVER_LISTEN", "10.0.0.5:8080"}}))->warnings,
              Contains(HasSubstr("not https")));
  EXPECT_THAT(load_config(with_environment({{"KEYWARD_SERVER_PUBLIC_URL", "http://[::1]:9000"}}))->warnings,
              IsEmpty());
}

TEST_F(ConfigTest, mails_that_become_files_are_warned_of_where_others_may_register) {
  const auto warnings = [](const std::string& url, const std::string& smtp_url) {
    std::vector<std::pair<std::string, std::string>> variables{{"KEYWARD_SERVER_PUBLIC_URL", url},
                                                               {"KEYWARD_MAIL_FROM", "no-reply@example.com"}};
    if (!smtp_url.empty()) variables.emplace_back("KEYWARD_MAIL_SMTP_URL", smtp_url);
    return load_config(with_environment(std::move(variables)))->warnings;
  };
  EXPECT_THAT(warnings("https://id.example.com", ""), ElementsAre(HasSubstr("mail.smtp_url is not set")));
  EXPECT_THAT(warnings("https://id.example.com", "smtps://mail.example.com"), IsEmpty());
  EXPECT_THAT(warnings("https://localhost", ""), IsEmpty());
  EXPECT_THAT(warnings("http://127.0.0.1:8080", ""), IsEmpty());
}

TEST_F(ConfigTest, a_database_on_the_network_that_need_not_prove_itself_is_warned_of) {
  const auto warnings = [](const std::string& url) {
    return load_config(with_environment({{"KEYWARD_STORAGE_URL", url}}))->warnings;
  };
  for (const std::string open :
       {"postgres://ada:c4nary@db.example.com/x", "postgres://ada:c4nary@db/x?sslmode=require",
        "postgres://10.0.0.5/x?sslmode=verify-ca", "postgres://localhost,db/x", "postgres://[2001:db8::1]/x",
        "postgres://localhost/x?hostaddr=10.0.0.5", "postgres:///x?host=db"}) {
    EXPECT_THAT(warnings(open), ElementsAre(AllOf(HasSubstr("verify-full"), Not(HasSubstr("c4nary")))))
        << open;
  }
  for (const std::string safe : {"postgres://db.example.com/x?sslmode=verify-full", "postgres://localhost/x",
                                 "postgres://127.0.0.1:5433/x", "postgres://[::1]/x",
                                 "postgres:///x?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/x",
                                 "postgres://", "postgres://db/x?hostaddr=127.0.0.1", "/srv/keyward.db"}) {
    EXPECT_THAT(warnings(safe), IsEmpty()) << safe;
  }
}

TEST_F(ConfigTest, a_port_that_the_system_chose_reaches_what_was_derived) {
  auto config = load_config(with_environment({{"KEYWARD_SERVER_LISTEN", "127.0.0.1:0"}}));
  use_bound_port(*config, 4711);
  EXPECT_EQ(config->server.public_url, "http://127.0.0.1:4711");
  EXPECT_EQ(config->tokens.audience, "http://127.0.0.1:4711");
  auto fixed = load_config(with_environment(
      {{"KEYWARD_SERVER_LISTEN", "127.0.0.1:0"}, {"KEYWARD_SERVER_PUBLIC_URL", "https://id.example.com"}}));
  use_bound_port(*fixed, 4711);
  EXPECT_EQ(fixed->tokens.issuer, "https://id.example.com");
}

TEST(Settings, every_setting_has_help_and_a_name_of_section_and_key) {
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(std::regex_match(std::string{setting.key}, std::regex{"[a-z]+\\.[a-z0-9_]+"})) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
  }
  EXPECT_EQ(variable_of(*find_setting("server.public_url")), "KEYWARD_SERVER_PUBLIC_URL");
}

}  // namespace
}  // namespace keyward::app
