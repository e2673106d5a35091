#include "web/openapi/documentation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

using test::ask;
using test::header_of;
using testing::HasSubstr;
using testing::Not;

class DocumentationTest : public testing::Test {
 protected:
  DocumentationTest() {
    documentation.add_routes(router);
    documentation.generate({.version = "1"}, router);
  }
  Response get(std::string target, std::vector<Header> headers = {}) {
    return ask(router, {Method::get, std::move(target), "", "", std::move(headers)});
  }

  openapi::Documentation documentation;
  Router router;
};

TEST_F(DocumentationTest, Z5_every_route_is_in_the_description) {
  const auto response = get("/openapi.json");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/json");
  for (const auto& route : router.routes())
    EXPECT_THAT(std::string{response.content()}, HasSubstr("\"" + route->path + "\""));
  const auto again = get("/openapi.json", {{"If-None-Match", header_of(response, "ETag")}});
  EXPECT_EQ(again.status, 304U);
  EXPECT_TRUE(again.content().empty());
}

TEST_F(DocumentationTest, the_viewer_is_served_compressed_with_its_own_policy) {
  for (const auto& [target, type] : std::vector<std::pair<std::string, std::string>>{
           {"/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"},
           {"/docs/swagger-ui.css", "text/css; charset=utf-8"},
           {"/docs/docs.js", "text/javascript; charset=utf-8"}}) {
    const auto response = get(target, {{"Accept-Encoding", "br, gzip;q=0.5"}});
    EXPECT_EQ(response.status, 200U) << target;
    EXPECT_EQ(response.content_type, type);
    EXPECT_EQ(header_of(response, "Content-Encoding"), "gzip");
    EXPECT_TRUE(response.content().starts_with("\x1f\x8b")) << target;
    EXPECT_EQ(get(target, {{"If-None-Match", "\"x\", W/" + header_of(response, "ETag")}}).status, 304U);
  }
  const auto policy = header_of(get("/docs"), "Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("script-src 'self';"));
  EXPECT_THAT(policy, HasSubstr("connect-src 'self';"));
  EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("http")));
}

TEST_F(DocumentationTest, other_files_and_codings_are_refused) {
  EXPECT_EQ(get("/docs/nothing.js").status, 404U);
  EXPECT_EQ(get("/docs/..%2fdocs.js").status, 404U);
  EXPECT_EQ(get("/docs/docs.js", {{"Accept-Encoding", "identity"}}).status, 406U);
  EXPECT_EQ(get("/docs/docs.js", {{"Accept-Encoding", "gzip;q=0, *"}}).status, 406U);
  EXPECT_EQ(get("/docs/docs.js", {{"Accept-Encoding", "*"}}).status, 200U);
}

TEST_F(DocumentationTest, the_page_itself_is_for_every_client) {
  const auto response = get("/docs", {{"Accept-Encoding", "identity"}});
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(header_of(response, "Content-Encoding"), "");
  EXPECT_THAT(response.content(), HasSubstr("<html"));
}

}  // namespace
}  // namespace keyward::web
