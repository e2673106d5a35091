// What the server believes of origins and proxies, as settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "app/config/config.hpp"

namespace keyward::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OriginsTest : public ::testing::Test {
 protected:
  OriginsTest() = default;
  ~OriginsTest() override { std::filesystem::remove(file_); }
  OriginsTest(const OriginsTest&) = delete;
  OriginsTest& operator=(const OriginsTest&) = delete;

  ConfigSources with_file(std::string_view toml) {
    std::ofstream{file_, std::ios::binary} << toml;
    return {.file = file_, .environment = {}, .flags = {}};
  }
  static ConfigSources with_environment(std::vector<std::pair<std::string, std::string>> variables) {
    return {.file = {}, .environment = std::move(variables), .flags = {}};
  }
  static std::vector<std::string> errors_of(const ConfigSources& sources) {
    std::vector<std::string> texts;
    const auto config = load_config(sources);
    if (config) return texts;
    for (const ConfigError& error : config.error()) texts.push_back(to_text(error));
    return texts;
  }

 private:
  std::filesystem::path file_ = std::filesystem::path{::testing::TempDir()} /
                                ("keyward-origins-" + std::to_string(::getpid()) + ".toml");
};

TEST_F(OriginsTest, S9_origins_are_a_list_or_a_text_without_slips) {
  const auto config =
      load_config(with_file("[server]\ncors_origins = ['https://b.example', 'http://localhost:3000']"));
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->server.cors_origins.text(), "http://localhost:3000, https://b.example");
  const auto spelled = load_config(
      with_environment({{"KEYWARD_SERVER_CORS_ORIGINS", "https://b.example,https://a.example:8443"}}));
  EXPECT_EQ(spelled->server.cors_origins.origins().size(), 2U);
  EXPECT_TRUE(load_config({})->server.cors_origins.empty());
  EXPECT_THAT(errors_of(with_file("[server]\ncors_origins = ['https://a.example', '*']")),
              ElementsAre(AllOf(HasSubstr("server.cors_origins"), HasSubstr("`*`"))));
  EXPECT_THAT(errors_of(with_file("[server]\ncors_origins = ['https://a.example', 7]")),
              ElementsAre(HasSubstr("origins as https://")));
  EXPECT_THAT(errors_of(with_file("[server]\npublic_url = ['https://a.example']")),
              ElementsAre(HasSubstr("server.public_url")));
}

TEST_F(OriginsTest, A4_one_header_of_the_proxies_is_read) {
  EXPECT_EQ(load_config({})->server.proxy_header, "x-forwarded-for");
  EXPECT_EQ(
      load_config(with_environment({{"KEYWARD_SERVER_PROXY_HEADER", "forwarded"}}))->server.proxy_header,
      "forwarded");
  EXPECT_THAT(errors_of(with_environment({{"KEYWARD_SERVER_PROXY_HEADER", "x-real-ip"}})),
              ElementsAre(HasSubstr("one of x-forwarded-for, forwarded")));
}

}  // namespace
}  // namespace keyward::app
