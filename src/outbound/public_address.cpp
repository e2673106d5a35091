#include "outbound/public_address.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace keyward::outbound {

namespace {

constexpr std::array<std::string_view, 15> v4_special{
    "0.0.0.0/8",        // this network
    "10.0.0.0/8",       // private
    "100.64.0.0/10",    // shared by a carrier's customers
    "127.0.0.0/8",      // loopback
    "169.254.0.0/16",   // link-local; metadata services of clouds
    "172.16.0.0/12",    // private
    "192.0.0.0/24",     // protocol assignments
    "192.0.2.0/24",     // documentation
    "192.88.99.0/24",   // 6to4 relays
    "192.168.0.0/16",   // private
    "198.18.0.0/15",    // benchmarks
    "198.51.100.0/24",  // documentation
    "203.0.113.0/24",   // documentation
    "224.0.0.0/4",      // multicast
    "240.0.0.0/4",      // reserved, and broadcast
};
constexpr std::string_view v6_handed_out = "2000::/3";
constexpr std::array<std::string_view, 4> v6_special{
    "2001::/23",      // protocol assignments: Teredo, benchmarks, ORCHID
    "2001:db8::/32",  // documentation
    "2002::/16",      // 6to4
    "3fff::/20",      // documentation (RFC 9637)
};

std::vector<text::IpNetwork> parse_all(std::span<const std::string_view> networks) {
  std::vector<text::IpNetwork> parsed;
  for (const auto network : networks) parsed.push_back(text::IpNetwork::parse(network).value());
  return parsed;
}

bool is_within(const text::IpAddress& address, const std::vector<text::IpNetwork>& networks) {
  return std::ranges::any_of(networks, [&](const auto& network) { return network.contains(address); });
}

}  // namespace

bool is_public(const text::IpAddress& address) {
  static const auto special_v4 = parse_all(v4_special);
  static const auto special_v6 = parse_all(v6_special);
  static const auto handed_out = text::IpNetwork::parse(v6_handed_out).value();
  if (address.is_v4()) return !is_within(address, special_v4);
  return handed_out.contains(address) && !is_within(address, special_v6);
}

bool is_loopback(const text::IpAddress& address) {
  static const auto v4 = text::IpNetwork::parse("127.0.0.0/8").value();
  static const auto v6 = text::IpNetwork::parse("::1").value();
  return v4.contains(address) || v6.contains(address);
}

}  // namespace keyward::outbound
