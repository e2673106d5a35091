#include "web/tls/handshake_watch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace keyward::web {
namespace {

using Raw = std::vector<std::uint8_t>;

Raw record(std::uint8_t type, Raw content) {
  Raw made{type, 3, 1, static_cast<std::uint8_t>(content.size() >> 8U),
           static_cast<std::uint8_t>(content.size())};
  made.insert(made.end(), content.begin(), content.end());
  return made;
}

/// A message that announces so many bytes, with `sent` of them.
Raw message(std::size_t announced, std::size_t sent) {
  Raw made{1, static_cast<std::uint8_t>(announced >> 16U), static_cast<std::uint8_t>(announced >> 8U),
           static_cast<std::uint8_t>(announced)};
  made.resize(4 + sent);
  return made;
}

Raw operator+(Raw one, const Raw& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

/// Whole, and byte by byte.
bool takes(const Raw& stream, bool is_tls_1_3 = true) {
  HandshakeWatch whole;
  const bool taken = whole.see(stream, is_tls_1_3);
  HandshakeWatch watch;
  bool in_pieces = true;
  for (std::size_t i = 0; i < stream.size() && in_pieces; ++i) {
    in_pieces = watch.see(BytesView{stream}.subspan(i, 1), is_tls_1_3);
  }
  EXPECT_EQ(taken, in_pieces);
  return taken;
}

constexpr std::size_t most = HandshakeWatch::message_max_bytes;

TEST(HandshakeWatch, H2_a_hello_is_as_long_as_a_record_at_most) {
  EXPECT_TRUE(takes(record(22, message(most - 4, most - 4))));
  EXPECT_TRUE(takes(record(22, message(most, 6))));
  EXPECT_FALSE(takes(record(22, message(most + 1, 6))));
  EXPECT_FALSE(takes(record(22, message(131396, 0))));
  EXPECT_FALSE(takes(record(22, message(0xffffff, 0))));
}

TEST(HandshakeWatch, H2_a_head_in_two_records_is_read_as_one) {
  const Raw head = message(131396, 0);
  const Raw one{head[0], head[1]};
  const Raw other{head[2], head[3]};
  EXPECT_FALSE(takes(record(22, one) + record(22, {}) + record(22, other)));
}

TEST(HandshakeWatch, H2_the_second_hello_after_a_retry_is_watched_too) {
  const Raw first = record(22, message(200, 200));
  const Raw compatibility = record(20, {1});
  EXPECT_TRUE(takes(first + compatibility + record(22, message(300, 300)) + record(23, Raw(4000))));
  EXPECT_FALSE(takes(first + compatibility + record(22, message(131396, 0))));
  EXPECT_FALSE(takes(first + record(22, message(131396, 0))));
  EXPECT_FALSE(takes(record(20, {1}) + record(22, message(131396, 0))));
}

TEST(HandshakeWatch, A_message_that_goes_on_in_the_next_record_is_one) {
  const Raw begun = record(22, message(10, 4));
  const Raw looks_like_a_head{9, 255, 255, 255, 0, 0};
  EXPECT_TRUE(takes(begun + record(22, looks_like_a_head)));
}

TEST(HandshakeWatch, What_TLS_1_2_encrypts_is_not_read) {
  const Raw nonce{1, 255, 255, 255, 0, 0, 0, 0};
  const Raw stream = record(22, message(200, 200)) + record(20, {1}) + record(22, nonce);
  EXPECT_TRUE(takes(stream, false));
  EXPECT_FALSE(takes(stream, true));
}

TEST(HandshakeWatch, What_is_no_record_ends_it) {
  const std::string_view http = "GET / HTTP/1.1\r\n";
  EXPECT_FALSE(takes(Raw(http.begin(), http.end())));
  EXPECT_FALSE(takes({0x80, 0x2e, 1, 3, 1, 0, 0x15}));  // SSL 2
  EXPECT_FALSE(takes(record(24, {1})));
  EXPECT_TRUE(takes({}));
}

}  // namespace
}  // namespace keyward::web
