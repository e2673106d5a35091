#include "web/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/endpoint/test_call.hpp"

namespace keyward::web {
namespace {

using test::header_of;

Request request_with(std::vector<Header> headers = {}) {
  Request request;
  request.id = "r1";
  request.headers = std::move(headers);
  return request;
}

TEST(Problem, has_the_members_of_rfc_9457) {
  const auto response =
      to_problem({.code = ErrorCode::bad_request, .message = "Email already registered"}, request_with());
  EXPECT_EQ(response.status, 400U);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"urn:keyward:problem:bad-request","title":"Bad Request","status":400,)"
                           R"("detail":"Email already registered","request_id":"r1"})");
}

TEST(Problem, names_every_bad_field) {
  const auto response = to_problem(
      {.code = ErrorCode::invalid_input, .message = "m", .fields = {{"a\"", "is required"}, {"b", "x"}}},
      request_with());
  EXPECT_EQ(response.status, 422U);
  EXPECT_THAT(response.body,
              testing::HasSubstr(
                  R"("errors":[{"field":"a\"","message":"is required"},{"field":"b","message":"x"}])"));
}

TEST(Problem, the_private_detail_stays_private) {
  const auto response =
      to_problem({.code = ErrorCode::internal, .private_detail = "disk sdb"}, request_with());
  EXPECT_EQ(response.status, 500U);
  EXPECT_THAT(response.body, testing::Not(testing::HasSubstr("sdb")));
  EXPECT_THAT(response.body, testing::HasSubstr(R"("detail":"Internal Server Error")"));
}

TEST(Problem, says_when_to_try_again) {
  EXPECT_EQ(header_of(to_problem({.code = ErrorCode::too_many_requests, .retry_after_s = 30}, request_with()),
                      "Retry-After"),
            "30");
  EXPECT_EQ(header_of(to_problem({.code = ErrorCode::unavailable}, request_with()), "Retry-After"), "");
}

TEST(Problem, a_401_has_a_challenge) {
  const auto challenge = [](ErrorCode code, std::vector<Header> headers) {
    return header_of(to_problem({.code = code}, request_with(std::move(headers))), "WWW-Authenticate");
  };
  EXPECT_EQ(challenge(ErrorCode::invalid_token, {}), "Bearer");
  EXPECT_EQ(challenge(ErrorCode::invalid_token, {{"authorization", "Bearer x"}}),
            "Bearer error=\"invalid_token\"");
  EXPECT_EQ(challenge(ErrorCode::invalid_credentials, {{"authorization", "Bearer x"}}), "Bearer");
  EXPECT_EQ(challenge(ErrorCode::forbidden, {}), "");
}

TEST(Problem, each_code_has_its_status) {
  const std::vector<std::pair<ErrorCode, unsigned>> table{{ErrorCode::bad_request, 400},
                                                          {ErrorCode::invalid_credentials, 401},
                                                          {ErrorCode::invalid_token, 401},
                                                          {ErrorCode::forbidden, 403},
                                                          {ErrorCode::not_found, 404},
                                                          {ErrorCode::method_not_allowed, 405},
                                                          {ErrorCode::request_timeout, 408},
                                                          {ErrorCode::conflict, 409},
                                                          {ErrorCode::payload_too_large, 413},
                                                          {ErrorCode::uri_too_long, 414},
                                                          {ErrorCode::unsupported_media_type, 415},
                                                          {ErrorCode::invalid_input, 422},
                                                          {ErrorCode::too_many_requests, 429},
                                                          {ErrorCode::headers_too_large, 431},
                                                          {ErrorCode::internal, 500},
                                                          {ErrorCode::unavailable, 503}};
  for (const auto& [code, status] : table) EXPECT_EQ(status_of(code), status);
}

TEST(Problem, what_never_became_a_request_has_one_too) {
  EXPECT_EQ(
      to_problem(431, "Too many headers", "r2").body,
      R"({"type":"urn:keyward:problem:headers-too-large","title":)"
      R"("Request Header Fields Too Large","status":431,"detail":"Too many headers","request_id":"r2"})");
  EXPECT_THAT(to_problem(505, "", "").body, testing::HasSubstr(R"("type":"about:blank")"));
}

}  // namespace
}  // namespace keyward::web
