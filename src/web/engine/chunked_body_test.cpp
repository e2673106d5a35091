#include "web/engine/chunked_body.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace keyward::web::engine {
namespace {

constexpr std::size_t body_max_bytes = 64;

struct Case {
  std::string raw;
  unsigned status;  // 0: right, 1: incomplete
  std::string body;
};

unsigned status_of(ChunkedBody& chunks, std::string_view raw, std::string& body) {
  const auto taken = chunks.take(raw, body);
  if (!taken) return taken.error().status;
  return chunks.is_complete() ? 0 : 1;
}

const std::vector<Case> cases = {
    {"0\r\n\r\n", 0, ""},
    {"5\r\nhello\r\n0\r\n\r\n", 0, "hello"},
    {"5\r\nhello\r\n1\r\n!\r\n000\r\n\r\n", 0, "hello!"},
    {"a\r\n0123456789\r\n0\r\n\r\n", 0, "0123456789"},
    {"A;name=value;other=\"x y\"\r\n0123456789\r\n0;last\r\n\r\n", 0, "0123456789"},
    {"0\r\nX-Trailer: dropped\r\nContent-Length: 7\r\n\r\n", 0, ""},
    {"40\r\n" + std::string(64, 'x') + "\r\n0\r\n\r\n", 0, std::string(64, 'x')},
    {"5\r\nhel", 1, "hel"},
    {"0\r\n", 1, ""},
    {"41\r\n", 413, ""},
    {"20\r\n" + std::string(32, 'x') + "\r\n21\r\n", 413, std::string(32, 'x')},
    {"ffffffff\r\n", 413, ""},
    {"0000000005\r\nhello\r\n", 400, ""},  // nine digits and more, though their value is small
    {"10000000000000000\r\n", 413, ""},
    {"\r\n", 400, ""},
    {"g\r\n", 400, ""},
    {"-1\r\n", 400, ""},
    {"+5\r\nhello\r\n", 400, ""},
    {"0x5\r\nhello\r\n", 400, ""},
    {" 5\r\nhello\r\n", 400, ""},
    {"5 \r\nhello\r\n", 400, ""},
    {"5\nhello\r\n", 400, ""},
    {"5\rhello", 400, ""},
    {"5\r\nhelloX\r\n", 400, "hello"},
    {"5\r\nhello\n0\r\n\r\n", 400, "hello"},
    {"5\r\nhello0\r\n\r\n", 400, "hello"},
    {"5\r\nhello\r\r0", 400, "hello"},
    {"5;a\nb\r\nhello\r\n", 400, ""},
    {"5;" + std::string(ChunkedBody::extension_max_bytes, 'e') + "\r\nhello\r\n0\r\n\r\n", 0, "hello"},
    {"5;" + std::string(ChunkedBody::extension_max_bytes + 1, 'e') + "\r\n", 400, ""},
    {"0\r\nno colon\r\n", 400, ""},
    {"0\r\n folded: x\r\n", 400, ""},
    {"0\r\nX : y\r\n", 400, ""},
    {"0\r\nX: y\nZ: w\r\n\r\n", 400, ""},
    {"0\r\nX:" + std::string(ChunkedBody::trailer_max_bytes - 2, 'y') + "\r\n\r\n", 0, ""},
    {"0\r\nX:" + std::string(ChunkedBody::trailer_max_bytes - 1, 'y') + "\r\n\r\n", 431, ""},
};

TEST(ChunkedBody, H1_table) {
  for (const Case& c : cases) {
    ChunkedBody chunks{body_max_bytes};
    std::string body;
    EXPECT_EQ(status_of(chunks, c.raw, body), c.status) << c.raw;
    EXPECT_EQ(body, c.body) << c.raw;
  }
}

TEST(ChunkedBody, byte_by_byte_gives_the_same) {
  for (const Case& c : cases) {
    ChunkedBody chunks{body_max_bytes};
    std::string body;
    unsigned status = 1;
    for (std::size_t i = 0; i < c.raw.size() && status == 1; ++i) {
      status = status_of(chunks, std::string_view{c.raw}.substr(i, 1), body);
    }
    EXPECT_EQ(status, c.status) << c.raw;
    EXPECT_EQ(body, c.body) << c.raw;
  }
}

TEST(ChunkedBody, what_follows_is_left) {
  ChunkedBody chunks{body_max_bytes};
  std::string body;
  EXPECT_EQ(chunks.take("1\r\na\r\n0\r\n\r\nGET /", body).value(), 11U);
  EXPECT_TRUE(chunks.is_complete());
}

}  // namespace
}  // namespace keyward::web::engine
