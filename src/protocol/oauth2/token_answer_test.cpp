#include "protocol/oauth2/token_answer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/limits.hpp"

namespace keyward::protocol::oauth2 {
namespace {

std::string reason(unsigned status, std::string_view body) {
  const auto result = parse_token_answer(status, body);
  return result ? "accepted" : std::string{to_word(result.error().reason)};
}
std::string detail(unsigned status, std::string_view body) {
  const auto result = parse_token_answer(status, body);
  return result ? "" : result.error().detail;
}

TEST(TokenAnswer, is_read) {
  const auto answer = parse_token_answer(
      200, R"({"access_token":"at-1","token_type":"bearer","id_token":"a.b.c","scope":"openid email",)"
           R"("expires_in":3600,"refresh_token":"rt","other":[1,{"a":null}]})");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->access_token.text(), "at-1");
  EXPECT_EQ(answer->token_type, "bearer");
  EXPECT_EQ(answer->id_token, "a.b.c");
  EXPECT_EQ(answer->scope, "openid email");
}

TEST(TokenAnswer, an_id_token_and_a_scope_may_be_absent_empty_or_null) {
  for (const std::string_view more : {"", R"(,"scope":"")", R"(,"scope":null,"id_token":null)"}) {
    const auto answer =
        parse_token_answer(200, R"({"access_token":"x","token_type":"Bearer")" + std::string{more} + "}");
    ASSERT_TRUE(answer) << more;
    EXPECT_EQ(answer->id_token, "");
    EXPECT_EQ(answer->scope, "");
  }
}

TEST(TokenAnswer, what_is_wrong_is_told_apart) {
  struct Row {
    unsigned status;
    std::string_view body, reason;
  };
  for (const auto& row : std::initializer_list<Row>{
           {200, "", "malformed"},
           {200, "access_token=x&token_type=bearer", "malformed"},
           {200, "[]", "malformed"},
           {200, "\"x\"", "malformed"},
           {200, "{}", "missing_claim"},
           {200, R"({"token_type":"Bearer"})", "missing_claim"},
           {200, R"({"access_token":"","token_type":"Bearer"})", "missing_claim"},
           {200, R"({"access_token":7,"token_type":"Bearer"})", "invalid_claim"},
           {200, R"({"access_token":["x"],"token_type":"Bearer"})", "invalid_claim"},
           {200, R"({"access_token":"x\r\nHost: y","token_type":"Bearer"})", "invalid_claim"},
           {200, R"({"access_token":"x y","token_type":"Bearer"})", "invalid_claim"},
           {200, R"({"access_token":"xü","token_type":"Bearer"})", "invalid_claim"},
           {200, R"({"access_token":"x"})", "missing_claim"},
           {200, R"({"access_token":"x","token_type":"DPoP"})", "invalid_claim"},
           {200, R"({"access_token":"x","token_type":"mac"})", "invalid_claim"},
           {200, R"({"access_token":"x","token_type":true})", "invalid_claim"},
           {200, R"({"access_token":"x","token_type":"Bearer","id_token":7})", "invalid_claim"},
           {200, R"({"access_token":"x","token_type":"Bearer","scope":["a"]})", "invalid_claim"},
           {200, R"({"access_token":"x","access_token":"y","token_type":"Bearer"})", "malformed"},
           {201, R"({"access_token":"x","token_type":"Bearer"})", "token_refused"},
           {302, R"({"access_token":"x","token_type":"Bearer"})", "token_refused"},
           {400, R"({"error":"invalid_grant"})", "token_refused"},
           {401, "", "token_refused"},
           {500, "<html>", "token_refused"},
       }) {
    EXPECT_EQ(reason(row.status, row.body), row.reason) << row.body;
  }
}

TEST(TokenAnswer, an_error_refuses_whatever_the_status_is) {
  constexpr std::string_view github =
      R"({"error":"bad_verification_code","error_description":"The code is incorrect",)"
      R"("access_token":"x","token_type":"bearer"})";
  EXPECT_EQ(reason(200, github), "token_refused");
  EXPECT_EQ(detail(200, github), "bad_verification_code: The code is incorrect");
  EXPECT_EQ(reason(200, R"({"error":null,"access_token":"x","token_type":"bearer"})"), "token_refused");
  EXPECT_EQ(detail(503, "busy"), "the answer was a 503");
}

TEST(TokenAnswer, the_words_of_an_error_are_one_line_and_cut) {
  const auto told =
      detail(400, R"({"error":"a\nb\u0000c\u202e","error_description":")" + std::string(5000, 'd') + "\"}");
  EXPECT_EQ(told.find_first_of(std::string_view{"\n\0", 2}), std::string::npos);
  EXPECT_LE(told.size(), 2 * limits::provider_text_max_bytes + 2);
}

TEST(TokenAnswer, has_limits) {
  const auto with_token = [](std::size_t size) {
    return R"({"token_type":"Bearer","access_token":")" + std::string(size, 'x') + "\"}";
  };
  EXPECT_EQ(reason(200, with_token(limits::provider_token_max_bytes)), "accepted");
  EXPECT_EQ(reason(200, with_token(limits::provider_token_max_bytes + 1)), "too_large");
  EXPECT_EQ(reason(200, with_token(limits::json_max_bytes)), "too_large");
  EXPECT_EQ(reason(200, R"({"token_type":"Bearer","access_token":"x","id_token":")" +
                            std::string(limits::provider_token_max_bytes + 1, 'x') + "\"}"),
            "too_large");
}

}  // namespace
}  // namespace keyward::protocol::oauth2
