#include "outbound/engine.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/limits.hpp"
#include "outbound/exchange.hpp"
#include "outbound/head.hpp"
#include "outbound/public_address.hpp"
#include "runtime/within.hpp"

namespace keyward::outbound {

namespace {

constexpr std::size_t under_way_to_one_max = limits::outbound_queue_max / 4;

/// One of the places that a server has.
class Place {
 public:
  Place(std::map<std::string, std::size_t>& taken, const std::string& origin)
      : taken_(taken), mine_(taken.try_emplace(origin).first) {
    ++mine_->second;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (--mine_->second == 0) taken_.erase(mine_);
  }
  [[nodiscard]] bool is_too_many() const { return mine_->second > under_way_to_one_max; }

 private:
  std::map<std::string, std::size_t>& taken_;
  std::map<std::string, std::size_t>::iterator mine_;
};

Moment now() { return std::chrono::steady_clock::now(); }

bool may_ask(const text::IpAddress& address, bool tls, Network network) {
  if (!tls) return is_loopback(address);
  return network == Network::private_allowed || is_public(address);
}

}  // namespace

Engine::Engine(ClientOptions options)
    : options_(std::move(options)),
      lookups_(options_.resolver != nullptr ? options_.resolver : system_resolver()) {}

Engine::~Engine() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
  lookups_.close();
}

LoopExecutor Engine::executor() {
  std::call_once(started_, [this] {
    thread_ = std::thread{[this] {
      pthread_setname_np(pthread_self(), "kw-outbound");
      context_.run();
    }};
  });
  return context_.get_executor();
}

Task<Fetched<Answer>> Engine::fetch(const Request* request) {
  auto target = parse_target(request->url);
  if (!target) co_return Failure::of(Refusal::bad_url, target.error().message);
  if (!target->tls && !(request->trust && request->trust->clear_text_loopback))
    co_return Failure::of(Refusal::clear_text, "http is not allowed");
  const Place place{under_way_of_, target->origin};
  if (place.is_too_many()) co_return Failure::of(Refusal::busy, "too many requests to this server");
  co_return co_await fetch_from(std::move(*target), request);
}

Task<Fetched<Answer>> Engine::fetch_from(Target target, const Request* request) {
  static const auto default_trust = std::make_shared<const Trust>();
  const auto deadline = now() + options_.timeout;
  const auto bytes = write_request(target, *request);
  if (!bytes) co_return std::unexpected(bytes.error());
  const Peer peer{target.origin, request->trust ? request->trust : default_trust};
  if (auto kept = pool_.take(peer)) {
    auto exchanged = co_await exchange(kept.get(), request, bytes->text(), deadline);
    // The other end may have closed it just now. A form may have been read for all that, so it is not sent
    // twice.
    const bool again = exchanged.nothing_written || (exchanged.unanswered && !request->form);
    if (exchanged.reusable) pool_.put(std::move(kept));
    if (!again) co_return std::move(exchanged.answer);
  }
  auto fresh = co_await connect(&target, peer, deadline);
  if (!fresh) co_return std::unexpected(std::move(fresh).error());
  auto exchanged = co_await exchange(fresh->get(), request, bytes->text(), deadline);
  if (exchanged.reusable) pool_.put(std::move(*fresh));
  co_return std::move(exchanged.answer);
}

Task<Fetched<Engine::Addresses>> Engine::find_addresses(const Target* target, const Trust* trust,
                                                        Moment deadline) {
  Addresses found;
  if (const auto literal = text::IpAddress::parse(target->host)) {
    found.push_back(*literal);
  } else {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now());
    auto resolved = co_await within(left, lookups_.resolve(target->host));
    if (!resolved) co_return Failure::of(Refusal::timed_out, "looking the name up");
    if (!*resolved) co_return Failure::of(Refusal::not_resolved, std::move(*resolved).error());
    found = std::move(**resolved);
  }
  // What may not be asked is left out: a network with NAT64 adds such an address to every name.
  const auto first = found.empty() ? std::string{"none"} : found.front().to_text();
  std::erase_if(found, [&](const auto& one) { return !may_ask(one, target->tls, trust->network); });
  if (found.empty()) {
    co_return Failure::of(target->tls ? Refusal::address_not_allowed : Refusal::clear_text,
                          fmt::format("{} is at {}", target->host, first));
  }
  if (found.size() > limits::outbound_addresses_max) found.resize(limits::outbound_addresses_max);
  co_return found;
}

Task<Fetched<std::unique_ptr<Connection>>> Engine::connect(const Target* target, Peer peer, Moment deadline) {
  auto addresses = co_await find_addresses(target, peer.trust.get(), deadline);
  if (!addresses) co_return std::unexpected(std::move(addresses).error());
  Failure last;
  for (const auto& address : *addresses) {
    const auto until = std::min(deadline, now() + options_.connect_timeout);
    auto connection = co_await connect_to(address, target, peer, until);
    if (connection) co_return connection;
    last = std::move(connection).error();
    last.detail += fmt::format(" ({} at {})", target->host, address.to_text());
    if (last.refusal == Refusal::tls_failed || now() >= deadline) break;
  }
  co_return std::unexpected(std::move(last));
}

Task<Fetched<std::unique_ptr<Connection>>> Engine::connect_to(text::IpAddress address, const Target* target,
                                                              Peer peer, Moment deadline) {
  const auto trust = peer.trust;
  auto connection =
      std::make_unique<Connection>(context_.get_executor(), std::move(peer), meters.open_connections);
  if (auto connected = co_await connection->connect(address, target->port, deadline); !connected)
    co_return std::unexpected(std::move(connected).error());
  if (!target->tls) co_return connection;
  auto session = tls_contexts_.make_session(trust->ca_pem, target->host);
  if (!session) co_return std::unexpected(std::move(session).error());
  if (auto shaken = co_await connection->shake_hands(std::move(*session), deadline); !shaken)
    co_return std::unexpected(std::move(shaken).error());
  co_return connection;
}

}  // namespace keyward::outbound
