#include "web/engine/peer_counts.hpp"

namespace keyward::web::engine {
namespace {

constexpr unsigned subscriber_bits = 64;

/// This machine, as a program on it calls without saying from where.
bool is_this_machine(const text::IpAddress& address) {
  static const auto v4 = text::IpAddress::parse("127.0.0.1").value();
  static const auto v6 = text::IpAddress::parse("::1").value();
  return address == v4 || address == v6;
}

}  // namespace

std::pair<PeerCounts::Place, std::size_t> PeerCounts::enter(const asio::ip::address& peer) {
  const auto address = text::IpAddress::parse(
      peer.is_v6() ? asio::ip::make_address_v6(peer.to_v6().to_bytes()).to_string() : peer.to_string());
  if (!address || is_this_machine(*address) || trusted_.trusts(*address)) return {};
  const auto counted = address->is_v4() ? *address : address->prefix(subscriber_bits);
  const Lock lock{mutex_};
  Peer& shared = open_[counted];
  ++shared.open;
  return {Place{*this, counted, shared}, shared.open};
}

void PeerCounts::leave(const text::IpAddress& peer) {
  const Lock lock{mutex_};
  const auto found = open_.find(peer);
  if (--found->second.open == 0) open_.erase(found);
}

}  // namespace keyward::web::engine
