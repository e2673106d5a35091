#include "web/engine/peer_counts.hpp"

#include <gtest/gtest.h>

namespace keyward::web::engine {
namespace {

TEST(PeerCounts, H2_a_subscriber_of_ipv6_is_one_peer) {
  const TrustedProxies none;
  PeerCounts counts{none};
  const auto enter = [&](const char* address) { return counts.enter(asio::ip::make_address(address)); };
  auto first = enter("2001:db8:0:1::1");
  EXPECT_EQ(first.second, 1U);
  {
    const auto second = enter("2001:db8:0:1:ffff::2");
    EXPECT_EQ(second.second, 2U);
    EXPECT_EQ(enter("2001:db8:0:2::1").second, 1U);
  }
  EXPECT_EQ(enter("2001:db8:0:1::3").second, 2U);
  first.first = {};
  EXPECT_EQ(enter("2001:db8:0:1::3").second, 1U);
  const auto v4 = enter("192.0.2.1");
  EXPECT_EQ(enter("::ffff:192.0.2.1").second, 2U);
  EXPECT_EQ(enter("192.0.2.2").second, 1U);
  EXPECT_EQ(enter("::1").second, 0U);
  EXPECT_EQ(enter("127.0.0.1").second, 0U);
  EXPECT_EQ(enter("::ffff:127.0.0.1").second, 0U);
}

}  // namespace
}  // namespace keyward::web::engine
