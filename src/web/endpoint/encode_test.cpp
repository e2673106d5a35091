#include "web/endpoint/encode.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "web/endpoint/answer.hpp"

namespace keyward::web {
namespace {

struct Person {
  std::string name;
  std::optional<Time> at;
  std::uint64_t count = 0;
  Secret token;
  RawJson raw{"{}"};
  double number = 0;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name, at, count, token, raw, number))

TEST(Encode, texts_are_escaped) {
  EXPECT_EQ(to_json(std::string{"a\"b\\c\n\x1f\x7f/<é😀"}), "\"a\\\"b\\\\c\\u000a\\u001f\\u007f/<é😀\"");
  EXPECT_EQ(to_json(std::string{"\xE2\x80\xA8\xE2\x80\xA9"}), "\"\\u2028\\u2029\"");
  EXPECT_EQ(to_json(std::string{"a\xff\xED\xA0\x80z"}), "\"a\\ufffd\\ufffd\\ufffd\\ufffdz\"");
  EXPECT_EQ(to_json(std::string("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(Encode, members_stand_in_their_order) {
  Person person{.name = "Ann", .count = 18446744073709551615U, .token = Secret{"kw_rt_1"}, .number = 1e300};
  EXPECT_EQ(
      to_json(person),
      R"({"name":"Ann","at":null,"count":18446744073709551615,"token":"kw_rt_1","raw":{},"number":1e+300})");
  person.at = from_unix_s(0);
  person.number = std::nan("");
  EXPECT_EQ(to_json(person), R"({"name":"Ann","at":"1970-01-01T00:00:00Z","count":18446744073709551615,)"
                             R"("token":"kw_rt_1","raw":{},"number":null})");
}

TEST(Encode, a_page_has_items_and_next) {
  EXPECT_EQ(to_json(Page<int>{{1, 2}, "abc"}), R"({"items":[1,2],"next":"abc"})");
  EXPECT_EQ(to_json(Page<int>{}), R"({"items":[],"next":null})");
}

}  // namespace
}  // namespace keyward::web
