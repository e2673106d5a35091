#include "text/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "text/wiping_memory.hpp"

namespace keyward::text {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, reads_every_kind_of_value) {
  const auto value =
      parse_json(R"( {"a":[1,-2,3.5,true,false,null,"\u00e9\ud83d\ude00"],"b":{"c":18446744073709551615}} )");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(json::serialize(*value),
            R"({"a":[1,-2,3.5E0,true,false,null,"é😀"],"b":{"c":18446744073709551615}})");
  EXPECT_EQ(parse_json("5")->as_int64(), 5);
}

TEST(Json, J10_malformed_text_is_refused) {
  for (const std::string_view text :
       {"",       " ",        "{",         "[1,]",   "{\"a\":1,}", "{'a':1}", "{\"a\" 1}", "{a:1}",
        "nul",    "NaN",      "Infinity",  "01",     "+1",         ".5",      "1.",        "1e",
        "\"\t\"", "\"\\x\"",  "\"\\u12\"", "[1] 2",  "[1]]",       "// c\n1", "/* c */ 1", "\xEF\xBB\xBF{}",
        "\"",     "{\"a\":1", "1e400",     "-1e400", "\"a\nb\""}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, ErrorCode::bad_request) << text;
    EXPECT_FALSE(value.error().message.empty());
  }
  EXPECT_FALSE(parse_json(std::string_view("{}\0", 3)).has_value());
  EXPECT_FALSE(parse_json(std::string_view("\"a\0b\"", 5)).has_value());
}

TEST(Json, J10_text_that_is_not_utf8_is_refused) {
  for (const std::string_view text :
       {"\"\x80\"", "\"\xC0\xAF\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"",
        "\"\xF5\x80\x80\x80\"", "\"\xE2\x82\"", "{\"\xFF\":1}", R"("\ud800")", R"("\udc00")",
        R"("\ud800\ud800")", R"("\ud800x")", R"({"\udfff":1})"}) {
    EXPECT_FALSE(parse_json(text).has_value()) << text;
  }
}

TEST(Json, J9_a_duplicate_member_is_refused_at_any_depth_and_named) {
  for (const std::string_view text :
       {R"({"alg":1,"alg":1})", R"({"alg":1,"b":2,"\u0061lg":1})", R"([[{"x":{"alg":1,"alg":2}}]])",
        R"({"b":{"alg":1},"alg":{"c":1},"alg":3})"}) {
    const auto value = parse_json(text);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_EQ(value.error().code, ErrorCode::bad_request);
    EXPECT_THAT(value.error().message, HasSubstr("\"alg\"")) << text;
  }
  EXPECT_TRUE(parse_json(R"({"a":{"a":1,"b":{"a":2}},"b":[{"a":1},{"a":1}]})").has_value());
  const std::string long_name(500, 'n');
  EXPECT_LT(parse_json("{\"" + long_name + "\":1,\"" + long_name + "\":2}").error().message.size(), 100U);
}

TEST(Json, J10_depth_and_size_have_limits) {
  EXPECT_TRUE(parse_json(nested(limits::json_max_depth)).has_value());
  const auto deep = parse_json(nested(limits::json_max_depth + 1));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, ErrorCode::bad_request);
  EXPECT_THAT(deep.error().message, HasSubstr("deep"));
  EXPECT_FALSE(parse_json(std::string(200'000, '[')).has_value());

  const std::string text = "\"" + std::string(98, 'a') + "\"";
  EXPECT_TRUE(parse_json(text, {.max_bytes = 100}).has_value());
  EXPECT_EQ(parse_json(text, {.max_bytes = 99}).error().code, ErrorCode::payload_too_large);
}

TEST(Json, J10_many_members_do_not_make_it_slow) {
  std::string text = "{";
  for (int i = 0; i < 20'000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
  text += "}";
  EXPECT_TRUE(parse_json(text).has_value());
}

/// Memory that can be read after it was freed.
class Arena final : public json::memory_resource {
 public:
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), used_}; }

 private:
  void* do_allocate(std::size_t size_bytes, std::size_t) override {
    used_ = (used_ + 15) / 16 * 16;
    return bytes_.data() + std::exchange(used_, used_ + size_bytes);
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  [[nodiscard]] bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  alignas(16) std::array<char, 65536> bytes_{};
  std::size_t used_ = 0;
};

TEST(Json, L2_nothing_of_a_password_stays_in_wiping_memory) {
  Arena arena;
  WipingMemory memory{&arena};
  {
    const auto value =
        parse_json(R"({"password":"corr\u0065ct horse battery staple","short":"horse"})", {}, &memory);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->at("password").as_string(), "correct horse battery staple");
    EXPECT_THAT(arena.text(), HasSubstr("horse"));
  }
  EXPECT_THAT(arena.text(), Not(HasSubstr("horse")));
}

TEST(Json, a_name_that_is_there_twice_is_told_on_one_line) {
  const auto parsed = parse_json(R"({"a\u007f\n\u202eb":1,"a\u007f\n\u202eb":2})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, R"(The member "a  b" is given twice)");
}

}  // namespace
}  // namespace keyward::text
