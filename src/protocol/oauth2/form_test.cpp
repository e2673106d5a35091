#include "protocol/oauth2/form.hpp"

#include <gtest/gtest.h>

namespace keyward::protocol::oauth2 {
namespace {

TEST(Form, escapes_as_the_url_standard_does) {
  EXPECT_EQ(to_form(" %&+\xc2\xa3\xe2\x82\xac"), "+%25%26%2B%C2%A3%E2%82%AC");  // RFC 6749 appendix B
  EXPECT_EQ(to_form("azAZ09*-._"), "azAZ09*-._");
  EXPECT_EQ(to_form("~!'()/:=?@#\n"), "%7E%21%27%28%29%2F%3A%3D%3F%40%23%0A");
  EXPECT_EQ(to_form(std::string_view{"\0\xff", 2}), "%00%FF");
  EXPECT_EQ(to_form(""), "");
}

TEST(Form, pairs_stay_pairs) {
  EXPECT_EQ(to_form({{"grant_type", "authorization_code"}, {"code", "a&b=c"}, {"empty", ""}}),
            "grant_type=authorization_code&code=a%26b%3Dc&empty=");
  EXPECT_EQ(to_form(std::initializer_list<FormPair>{}), "");
}

TEST(Form, a_query_is_put_behind_what_the_url_has) {
  const auto with = [](std::string_view url) { return with_query(url, {{"a", "b c"}, {"d", "&"}}); };
  EXPECT_EQ(with("https://op.example/auth"), "https://op.example/auth?a=b+c&d=%26");
  EXPECT_EQ(with("https://op.example/auth?"), "https://op.example/auth?a=b+c&d=%26");
  EXPECT_EQ(with("https://op.example/auth?p=q%20r"), "https://op.example/auth?p=q%20r&a=b+c&d=%26");
  EXPECT_EQ(with("https://op.example/auth?p=q&"), "https://op.example/auth?p=q&a=b+c&d=%26");
  EXPECT_EQ(with("https://op.example/auth?p?"), "https://op.example/auth?p?&a=b+c&d=%26");
  EXPECT_EQ(with("/path?x=1#part"), "/path?x=1&a=b+c&d=%26#part");
  EXPECT_EQ(with("/path#part?no"), "/path?a=b+c&d=%26#part?no");
  EXPECT_EQ(with_query("/path#part", std::initializer_list<FormPair>{}), "/path#part");
}

}  // namespace
}  // namespace keyward::protocol::oauth2
