#include "web/cors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

using test::ask;
using test::Call;
using test::header_of;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view allow_origin = "Access-Control-Allow-Origin";

struct Handlers {
  int calls = 0;
  Result<NoContent> nothing(Public) {
    ++calls;
    return NoContent{};
  }
  Result<NoContent> taken(Public, AnswerHeaders headers) {
    ++calls;
    headers.set("Vary", "Accept-Language");
    return NoContent{};
  }
};

class CorsTest : public ::testing::Test {
 protected:
  CorsTest() {
    router.get("/thing", handlers, &Handlers::nothing);
    router.post("/thing", handlers, &Handlers::nothing);
    router.get("/varies", handlers, &Handlers::taken);
    router.get("/keys", handlers, &Handlers::nothing).read_by(Readers::every_origin);
    router.get("/page", handlers, &Handlers::nothing).page();
    router.let_read(Cors::parse("https://app.example, http://localhost:3000").value());
  }
  Response get(std::string target, std::string_view origin) {
    return ask(router, Call{.target = std::move(target), .headers = {{"Origin", origin}}});
  }
  Response preflight(std::string target, std::string_view origin) {
    return ask(router, Call{.method = Method::options,
                            .target = std::move(target),
                            .headers = {{"Origin", origin}, {"Access-Control-Request-Method", "POST"}}});
  }
  Handlers handlers;
  Router router;
};

TEST(Cors, S9_origins_are_written_as_browsers_write_them) {
  for (const auto* const good :
       {"https://app.example", "https://app.example:8443", "https://xn--bcher-kva.example",
        "https://192.0.2.7", "https://[2001:db8::1]:8443", "http://localhost:3000", "http://127.0.0.1:3000",
        "http://[::1]:3000", "http://app.localhost", "https://3com.example",
        " https://a.example , https://b.example "}) {
    EXPECT_TRUE(Cors::parse(good)) << good;
  }
  EXPECT_TRUE(Cors::parse("").value().empty());
  for (const auto* const bad : {"*",
                                "null",
                                "app.example",
                                "https://",
                                "https://app.example/",
                                "https://app.example/path",
                                "https://app.example?a",
                                "https://app.example#a",
                                "https://app.example\\",
                                "https://App.example",
                                "HTTPS://app.example",
                                "https://app.example.",
                                "https://.app.example",
                                "https://app..example",
                                "https://*.app.example",
                                "https://user@app.example",
                                "https://app.example:443",
                                "https://app.example:",
                                "https://app.example:0",
                                "https://app.example:08443",
                                "https://app.example:65536",
                                "https://app.example:+1",
                                "https://b\u00fccher.example",
                                "http://app.example",
                                "ftp://app.example",
                                "https://127.1",
                                "https://0x7f.0.0.1",
                                "https://192.0.2.07",
                                "https://[2001:DB8::1]",
                                "https://[2001:db8:0::1]",
                                "https://[::ffff:192.0.2.1]",
                                "https://[192.0.2.1]",
                                "https://[::1",
                                "https://a.example,",
                                "https://a.example https://b.example",
                                "http://127.0.0.1.evil.example",
                                "http://localhost.evil.example"}) {
    const auto parsed = Cors::parse(bad);
    ASSERT_FALSE(parsed) << bad;
  }
  EXPECT_THAT(Cors::parse("https://a.example, https://B.example").error().message,
              HasSubstr("`https://B.example`"));
  std::string many = "https://a0.example";
  for (int i = 1; i < 65; ++i) many += ", https://a" + std::to_string(i) + ".example";
  EXPECT_THAT(Cors::parse(many).error().message, HasSubstr("65"));
}

TEST_F(CorsTest, S9_only_a_listed_origin_reads) {
  const auto listed = get("/thing", "https://app.example");
  EXPECT_EQ(header_of(listed, allow_origin), "https://app.example");
  EXPECT_EQ(header_of(listed, "Vary"), "Origin");
  EXPECT_THAT(header_of(listed, "Access-Control-Expose-Headers"), HasSubstr("Retry-After"));
  EXPECT_EQ(header_of(get("/thing", "http://localhost:3000"), allow_origin), "http://localhost:3000");
  EXPECT_EQ(header_of(listed, "Access-Control-Allow-Credentials"), "");

  const std::string long_one = "https://" + std::string(8192, 'a') + ".app.example";
  for (const std::string_view origin : {std::string_view{"null"},
                                        std::string_view{""},
                                        std::string_view{"*"},
                                        std::string_view{"https://sub.app.example"},
                                        std::string_view{"https://app.example.evil.example"},
                                        std::string_view{"https://evilapp.example"},
                                        std::string_view{"https://app.exampl"},
                                        std::string_view{"https://app.example.com"},
                                        std::string_view{"https://APP.example"},
                                        std::string_view{"HTTPS://app.example"},
                                        std::string_view{"http://app.example"},
                                        std::string_view{"https://app.example:443"},
                                        std::string_view{"https://app.example:8443"},
                                        std::string_view{"https://app.example."},
                                        std::string_view{"https://app.example/"},
                                        std::string_view{"https://user@app.example"},
                                        std::string_view{"https://app.example@evil.example"},
                                        std::string_view{"https://app.example,https://app.example"},
                                        std::string_view{"https://app.example https://app.example"},
                                        std::string_view{"http://localhost"},
                                        std::string_view{"http://localhost:30000"},
                                        std::string_view{"app.example"},
                                        std::string_view{long_one}}) {
    for (const auto& response : {get("/thing", origin), preflight("/thing", origin)}) {
      EXPECT_EQ(header_of(response, allow_origin), "") << origin;
      EXPECT_EQ(header_of(response, "Access-Control-Allow-Methods"), "") << origin;
      EXPECT_THAT(header_of(response, "Vary"), HasSubstr("Origin")) << origin;
    }
  }
  Call twice{.target = "/thing",
             .headers = {{"Origin", "https://app.example"}, {"origin", "https://app.example"}}};
  EXPECT_EQ(header_of(ask(router, twice), allow_origin), "");
}

TEST_F(CorsTest, S9_refusals_can_be_read_too_and_nothing_is_promised_without_an_origin) {
  EXPECT_EQ(header_of(get("/nowhere", "https://app.example"), allow_origin), "https://app.example");
  const auto wrong_method = ask(
      router,
      Call{.method = Method::delete_, .target = "/thing", .headers = {{"Origin", "https://app.example"}}});
  EXPECT_EQ(wrong_method.status, 405U);
  EXPECT_EQ(header_of(wrong_method, allow_origin), "https://app.example");
  const auto none = ask(router, Call{.target = "/thing"});
  EXPECT_EQ(header_of(none, allow_origin), "");
  EXPECT_EQ(header_of(none, "Vary"), "Origin");
  EXPECT_EQ(header_of(get("/varies", "https://app.example"), "Vary"), "Accept-Language, Origin");
}

TEST_F(CorsTest, S9_a_preflight_asks_no_handler) {
  const auto response = preflight("/thing", "https://app.example");
  EXPECT_EQ(response.status, 204U);
  EXPECT_EQ(header_of(response, allow_origin), "https://app.example");
  EXPECT_EQ(header_of(response, "Access-Control-Allow-Methods"), "GET, HEAD, POST, OPTIONS");
  EXPECT_THAT(header_of(response, "Access-Control-Allow-Headers"), HasSubstr("Authorization"));
  EXPECT_THAT(header_of(response, "Access-Control-Allow-Headers"), Not(HasSubstr("*")));
  EXPECT_EQ(header_of(response, "Access-Control-Max-Age"), "600");
  EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(handlers.calls, 0);
  const auto plain = ask(router, Call{.method = Method::options, .target = "/thing"});
  EXPECT_EQ(plain.status, 204U);
  EXPECT_EQ(header_of(plain, allow_origin), "");
}

TEST_F(CorsTest, S9_what_everybody_may_know_and_what_nobody_may) {
  EXPECT_EQ(header_of(get("/keys", "https://evil.example"), allow_origin), "*");
  EXPECT_EQ(header_of(preflight("/keys", "https://evil.example"), allow_origin), "*");
  EXPECT_EQ(header_of(get("/page", "https://app.example"), allow_origin), "");
  EXPECT_EQ(header_of(preflight("/page", "https://app.example"), allow_origin), "");
}

TEST_F(CorsTest, S9_with_no_origin_listed_no_answer_speaks_of_it) {
  router.let_read(Cors{});
  const auto response = get("/thing", "https://app.example");
  EXPECT_EQ(header_of(response, allow_origin), "");
  EXPECT_EQ(header_of(response, "Vary"), "");
}

}  // namespace
}  // namespace keyward::web
