#include "text/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace keyward::text {

namespace {

constexpr std::array<std::uint8_t, 12> v4_mark{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_bits = 32;

std::optional<unsigned> parse_bits(std::string_view text, unsigned max) {
  unsigned bits = 0;
  const auto [stopped, error] = std::from_chars(text.begin(), text.end(), bits);
  if (text.empty() || error != std::errc{} || stopped != text.end() || bits > max) return std::nullopt;
  return bits;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  IpAddress address;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, terminated.data(), v4.data()) == 1) {
    std::ranges::copy(v4_mark, address.bytes_.begin());
    std::ranges::copy(v4, address.bytes_.begin() + v4_mark.size());
    return address;
  }
  if (inet_pton(AF_INET6, terminated.data(), address.bytes_.data()) != 1) return std::nullopt;
  return address;
}

bool IpAddress::is_v4() const {
  return std::ranges::equal(std::span{bytes_}.first<v4_mark.size()>(), v4_mark);
}

std::string IpAddress::to_text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_v4()) {
    inet_ntop(AF_INET, bytes_.data() + v4_mark.size(), text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
  }
  return text.data();
}

IpAddress IpAddress::prefix(unsigned bits) const {
  IpAddress cut = *this;
  for (unsigned at = 0; at < cut.bytes_.size(); ++at) {
    const unsigned before = at * 8;
    const unsigned kept = bits <= before ? 0 : std::min(8U, bits - before);
    cut.bytes_.at(at) &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return cut;
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto refused = [text](std::string_view why) {
    return fail(ErrorCode::invalid_input, "`" + std::string{text} + "` " + std::string{why});
  };
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return refused("is no IP address or network, such as 10.0.0.0/8 or fd00::/8");
  IpNetwork network;
  network.first_ = *address;
  if (slash == std::string_view::npos) return network;
  const auto bits = parse_bits(text.substr(slash + 1), address->is_v4() ? v4_bits : IpAddress::size_bits);
  if (!bits) return refused("has no prefix length that fits its address");
  network.bits_ = *bits + (address->is_v4() ? v4_offset_bits : 0);
  if (address->prefix(network.bits_) != *address) return refused("has bits set behind its prefix");
  return network;
}

}  // namespace keyward::text
