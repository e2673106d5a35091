#include "protocol/oauth2/return_to.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/limits.hpp"
#include "text/json.hpp"

namespace keyward::protocol::oauth2 {
namespace {

namespace json = text::json;

/// tests/vectors/return_to.json, which a test with a browser's parser reads too.
const json::object& vectors() {
  static const json::object read = [] {
    std::ifstream file{std::string{KEYWARD_TEST_VECTORS} + "/return_to.json", std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    auto value = text::parse_json(text);
    if (!value) throw std::runtime_error("return_to.json: " + value.error().message);
    return value->as_object();
  }();
  return read;
}

std::string text_of(const json::value& value) { return std::string{std::string_view{value.as_string()}}; }

std::vector<std::string> listed() {
  std::vector<std::string> origins;
  for (const auto& each : vectors().at("origins").as_array()) origins.push_back(text_of(each));
  return origins;
}

bool is_taken(std::string_view given, const std::vector<std::string>& origins) {
  return check_return_to(given, origins).has_value();
}

TEST(ReturnTo, F8_what_every_parser_reads_alike_is_taken_as_it_is) {
  const auto& rows = vectors().at("taken").as_array();
  ASSERT_GT(rows.size(), 20U);
  for (const auto& row : rows) {
    const auto given = text_of(row.at("given"));
    const auto result = check_return_to(given, listed());
    EXPECT_TRUE(result) << given;
    EXPECT_EQ(result.value_or(""), given);
  }
}

TEST(ReturnTo, F8_hostile_spellings_are_refused) {
  const auto& rows = vectors().at("refused").as_array();
  ASSERT_GT(rows.size(), 60U);
  for (const auto& row : rows) {
    EXPECT_FALSE(is_taken(text_of(row.at("given")), listed())) << json::serialize(row);
  }
}

TEST(ReturnTo, the_refusal_names_the_field) {
  const auto result = check_return_to("//evil.example", {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
  ASSERT_EQ(result.error().fields.size(), 1U);
  EXPECT_EQ(result.error().fields.front().field, "return_to");
}

TEST(ReturnTo, F8_without_a_list_only_paths_are_taken) {
  EXPECT_TRUE(is_taken("/x", {}));
  EXPECT_FALSE(is_taken("https://app.example/", {}));
  EXPECT_FALSE(is_taken("https://", {}));
}

TEST(ReturnTo, F8_a_list_that_is_wrong_opens_nothing) {
  for (const std::string_view origin : {"https://",
                                        "http://",
                                        "https://*",
                                        "*",
                                        "null",
                                        "https://a@b",
                                        "https://a@b/c",
                                        "https://a//b",
                                        "https://a/../b",
                                        "https://a?b",
                                        "https://A",
                                        "https://a:443",
                                        "https://a:0443",
                                        "https://a:x",
                                        "https://a:",
                                        "https://a:123456",
                                        "http://app.example",
                                        "http://localhost.evil.example",
                                        "http://localhost:80",
                                        "http://127.0.0.2",
                                        "javascript://a",
                                        "https://[::2]",
                                        "https://[::1",
                                        "https://[::1]x",
                                        "https://a b",
                                        "https://a\\b",
                                        "//a"}) {
    const std::vector<std::string> origins{std::string{origin}};
    EXPECT_FALSE(is_taken(origin, origins)) << origin;
    EXPECT_FALSE(is_taken(std::string{origin} + "/x", origins)) << origin;
  }
}

TEST(ReturnTo, F8_an_entry_with_a_path_is_that_page_alone) {
  const std::vector<std::string> pages{"https://app.example/signed-in"};
  for (const auto* const there : {"", "?x=1", "#f", "?x=1#f"})
    EXPECT_TRUE(is_taken(pages.front() + there, pages)) << there;
  for (const auto* const elsewhere :
       {"https://app.example", "https://app.example/", "https://app.example/other",
        "https://app.example/signed-in/x", "https://app.example/signed-inx",
        "https://app.example/signed-in/../x", "https://app.example:8443/signed-in",
        "https://app.example.evil/signed-in"})
    EXPECT_FALSE(is_taken(elsewhere, pages)) << elsewhere;
}

TEST(ReturnTo, F8_what_the_answer_is_told_by_is_not_there_already) {
  const std::vector<std::string> origins{"https://app.example"};
  for (const auto* const query : {"?code=x", "?x=1&code=x", "?code", "?error=x", "?c%6Fde=x", "?%65rror=x"}) {
    EXPECT_FALSE(is_taken(std::string{"https://app.example/"} + query, origins)) << query;
    EXPECT_FALSE(is_taken(std::string{"/x"} + query, origins)) << query;
  }
  for (const auto* const query : {"?xcode=x", "?codes=x", "?x=code", "#code=x", "?c%2Fode=x"})
    EXPECT_TRUE(is_taken(std::string{"https://app.example/"} + query, origins)) << query;
}

TEST(ReturnTo, has_a_limit) {
  const auto path = "/" + std::string(limits::return_to_max_bytes - 1, 'a');
  EXPECT_TRUE(is_taken(path, {}));
  EXPECT_FALSE(is_taken(path + "a", {}));
}

TEST(ReturnTo, F8_no_single_byte_makes_a_path_leave_its_origin) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_FALSE(is_taken(one + "/evil.example", listed()) && byte != '/') << byte;
    EXPECT_FALSE(is_taken("/" + one + "/evil.example", listed()) && (byte <= 0x20 || byte >= 0x7f)) << byte;
    EXPECT_FALSE(is_taken("https://app.example" + one + "evil.example/", listed()) &&
                 std::string_view{"/?#"}.find(one) == std::string_view::npos)
        << byte;
  }
}

}  // namespace
}  // namespace keyward::protocol::oauth2
