#include "web/engine/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyward::web::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string head_of(const Response& response, AnswerFacts facts = {},
                    bool strict_transport_security = false) {
  AnswerWriter writer{strict_transport_security};
  std::string output;
  writer.append_head(output, response, facts);
  return output;
}

TEST(Answer, S8_every_answer_has_the_security_headers) {
  const std::string head = head_of({});
  for (const char* line : {"X-Content-Type-Options: nosniff\r\n", "Referrer-Policy: no-referrer\r\n",
                           "X-Frame-Options: DENY\r\n",
                           ("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri "
                            "'none'; form-action 'none'\r\n"),
                           "Cross-Origin-Opener-Policy: same-origin\r\n",
                           "Cross-Origin-Resource-Policy: same-origin\r\n", "Cache-Control: no-store\r\n"}) {
    EXPECT_THAT(head, HasSubstr(line));
  }
  EXPECT_THAT(head, Not(HasSubstr("Strict-Transport-Security")));
  EXPECT_THAT(head_of({}, {}, true), HasSubstr("Strict-Transport-Security: max-age=31536000"));
}

TEST(Answer, S8_a_handlers_own_value_replaces_the_default) {
  Response response;
  response.headers = {{"cache-control", "public, max-age=300"},
                      {"Content-Security-Policy", "default-src 'self'"}};
  const std::string head = head_of(response);
  EXPECT_THAT(head, HasSubstr("cache-control: public, max-age=300\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("no-store")));
  EXPECT_THAT(head, Not(HasSubstr("default-src 'none'")));
  EXPECT_THAT(head, HasSubstr("nosniff"));
}

TEST(Answer, H3_no_banner_and_no_framing_from_a_handler) {
  Response response;
  response.headers = {
      {"Server", "x/1"}, {"content-length", "99"}, {"Transfer-Encoding", "chunked"}, {"X-Own", "y"}};
  const std::string head = head_of(response);
  EXPECT_THAT(head, Not(HasSubstr("x/1")));
  EXPECT_THAT(head, Not(HasSubstr("99")));
  EXPECT_THAT(head, Not(HasSubstr("chunked")));
  EXPECT_THAT(head, HasSubstr("X-Own: y\r\n"));
}

TEST(Answer, header_injection_is_not_sendable) {
  const auto with = [](const std::string& name, std::string value) {
    Response response;
    response.headers.emplace_back(std::string_view{name}, std::move(value));
    return AnswerWriter::is_sendable(response);
  };
  EXPECT_TRUE(with("Location", "/a"));
  EXPECT_FALSE(with("Location", "/a\r\nSet-Cookie: b"));
  EXPECT_FALSE(with("Location", "/a\n"));
  EXPECT_FALSE(with("Location", std::string("/\0a", 3)));
  EXPECT_FALSE(with("Loc ation", "/a"));
  EXPECT_FALSE(with("", "/a"));
  Response odd_status;
  odd_status.status = 100;
  EXPECT_FALSE(AnswerWriter::is_sendable(odd_status));
}

TEST(Answer, lengths_follow_the_status) {
  Response response;
  response.body = "12345";
  EXPECT_THAT(head_of(response), HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(head_of(response, {.is_head = true}), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_FALSE(AnswerWriter::has_content(response, {.is_head = true}));
  response.status = 204;
  EXPECT_THAT(head_of(response), Not(HasSubstr("Content-Length")));
  EXPECT_FALSE(AnswerWriter::has_content(response, {}));
  response.status = 404;
  response.body.clear();
  EXPECT_THAT(head_of(response), HasSubstr("Content-Length: 0\r\n"));
}

TEST(Answer, connection_is_said_when_it_is_not_the_default) {
  EXPECT_THAT(head_of({}), Not(HasSubstr("Connection")));
  EXPECT_THAT(head_of({}, {.close = true}), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head_of({}, {.is_http_1_0 = true}), HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_THAT(head_of({}),
              testing::ContainsRegex("Date: [A-Z][a-z]+, [0-9]+ [A-Z][a-z]+ 20[0-9]+ [0-9:]+ GMT\r\n"));
}

}  // namespace
}  // namespace keyward::web::engine
