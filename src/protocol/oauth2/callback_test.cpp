#include "protocol/oauth2/callback.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace keyward::protocol::oauth2 {
namespace {

constexpr std::string_view issuer = "https://op.example/tenant";

std::string outcome(const CallbackParameters& parameters, bool iss_required) {
  const auto result = check_callback(parameters, {issuer, iss_required});
  return result ? "code " + *result : std::string{to_word(result.error().reason)};
}

TEST(Callback, F5_iss_is_exact_whether_or_not_it_is_required) {
  struct Row {
    std::optional<std::string> iss;
    std::string_view when_required, otherwise;
  };
  for (const auto& row : std::initializer_list<Row>{
           {"https://op.example/tenant", "code c", "code c"},
           {std::nullopt, "callback_issuer_missing", "code c"},
           {"https://other.example", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example/other", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example/tenant/", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example/Tenant", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example:443/tenant", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {" https://op.example/tenant", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example/%74enant", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"https://op.example", "callback_issuer_mismatch", "callback_issuer_mismatch"},
           {"", "callback_issuer_mismatch", "callback_issuer_mismatch"},
       }) {
    CallbackParameters parameters{.code = "c", .iss = row.iss};
    EXPECT_EQ(outcome(parameters, true), row.when_required) << row.iss.value_or("none");
    EXPECT_EQ(outcome(parameters, false), row.otherwise) << row.iss.value_or("none");
  }
}

TEST(Callback, F5_an_error_of_another_issuer_is_a_mismatch_first) {
  EXPECT_EQ(outcome({.iss = "https://other.example", .error = "access_denied"}, false),
            "callback_issuer_mismatch");
  EXPECT_EQ(outcome({.error = "access_denied"}, true), "callback_issuer_missing");
  EXPECT_EQ(outcome({.iss = std::string{issuer}, .error = "access_denied"}, true), "provider_error");
  EXPECT_EQ(outcome({.error = "access_denied"}, false), "provider_error");
}

TEST(Callback, the_word_of_an_error_is_kept_on_one_line_and_cut) {
  const auto told = [](std::string error) {
    return check_callback({.error = std::move(error), .error_description = "ignored"}, {issuer, false})
        .error()
        .detail;
  };
  EXPECT_EQ(told("access_denied"), "access_denied");
  EXPECT_EQ(told("a\r\nb\x1b[1m\xff"), "a  b [1m\xef\xbf\xbd");
  EXPECT_EQ(told(std::string(5000, 'x')).size(), limits::provider_text_max_bytes);
}

TEST(Callback, it_is_a_code_or_an_error) {
  EXPECT_EQ(outcome({}, false), "malformed");
  EXPECT_EQ(outcome({.state = "s", .error_description = "d"}, false), "malformed");
  EXPECT_EQ(outcome({.code = "c", .error = "access_denied"}, false), "malformed");
  EXPECT_EQ(outcome({.code = ""}, false), "malformed");
  EXPECT_EQ(outcome({.code = "a b"}, false), "malformed");
  EXPECT_EQ(outcome({.code = "a\r\nb"}, false), "malformed");
  EXPECT_EQ(outcome({.code = "\xc3\xbc"}, false), "malformed");
  EXPECT_EQ(outcome({.code = std::string(limits::provider_code_max_bytes, 'c')}, false).size(),
            limits::provider_code_max_bytes + 5);
  EXPECT_EQ(outcome({.code = std::string(limits::provider_code_max_bytes + 1, 'c')}, false), "too_large");
}

}  // namespace
}  // namespace keyward::protocol::oauth2
