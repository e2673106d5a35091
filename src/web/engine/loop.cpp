#include "web/engine/loop.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/log.hpp"
#include "web/engine/connection.hpp"
#include "web/engine/session.hpp"

namespace keyward::web::engine {
namespace {

constexpr std::size_t spare_exchanges_max = 64;
// So many idle connections keep their exchange for the next request, which spares a system call each time. A
// flood of them does not: what they leave behind is scattered, and the allocator would never give it back.
constexpr std::size_t idle_exchanges_max = 256;
constexpr std::size_t refusing_max = 64;  // beyond it, connections above the limit are closed without a word
constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds sweep_min{10};
constexpr std::chrono::milliseconds sweep_max{
    1000};  // an idle server wakes up once a second, with no connection never

/// For what is accepted, which inherits it. The last: the kernel takes no more of an answer than this beyond
/// what the peer has let us send; else somebody who asks much and reads nothing has half a megabyte of its
/// memory a connection (measured), which a container is billed for.
void set_options_of_accepted(Acceptor& acceptor) {
  using UnsentMost = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
  acceptor.set_option(asio::ip::tcp::no_delay{true});
  boost::system::error_code unknown;  // to some sandbox's kernel
  acceptor.set_option(UnsentMost{limits::http_unsent_max_bytes}, unknown);
}

// A quarter of the shortest time-out, within bounds: how late a time-out may be noticed.
std::chrono::milliseconds sweep_interval(const ServerOptions& options) {
  const auto shortest =
      std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 4, sweep_min, sweep_max);
}

}  // namespace

Loop::Loop(unsigned index, Shared& shared)
    : shared_(shared),
      index_(index),
      head_limits_{shared.options.header_max_bytes, shared.options.header_max_count,
                   shared.options.uri_max_bytes},
      answers_(shared.options.strict_transport_security),
      request_ids_(index),
      // Two bodies of the largest size at the least, however large the settings let them be.
      held_max_bytes_(std::max(limits::http_held_max_bytes / std::max(shared.options.loops, 1U),
                               4 * shared.options.body_max_bytes)),
      peer_held_max_bytes_(std::max(limits::http_peer_held_max_bytes, 2 * shared.options.body_max_bytes)) {}

Loop::~Loop() { tearing_down_ = true; }

std::uint16_t Loop::listen(const asio::ip::tcp::endpoint& endpoint, bool reuse_port, Handler& handler,
                           ConnectionCount& connections, TlsCertificate* certificate) {
  using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  listeners_.push_back(std::make_unique<Listener>(Acceptor{context_}, handler, connections, certificate));
  auto& acceptor = listeners_.back()->acceptor;
  acceptor.open(endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address{true});
  if (reuse_port) acceptor.set_option(ReusePort{true});
  set_options_of_accepted(acceptor);
  acceptor.bind(endpoint);
  acceptor.listen(asio::socket_base::max_listen_connections);
  return acceptor.local_endpoint().port();
}

std::uint16_t Loop::adopt(int socket, Handler& handler, ConnectionCount& connections,
                          TlsCertificate* certificate) {
  int family = AF_INET;
  socklen_t size = sizeof family;
  ::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size);
  listeners_.push_back(
      std::make_unique<Listener>(Acceptor{context_}, handler, connections, certificate, true));
  auto& acceptor = listeners_.back()->acceptor;
  const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (own < 0) throw boost::system::system_error{errno, boost::system::system_category()};
  boost::system::error_code error;
  acceptor.assign(family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), own, error);
  if (error) {
    ::close(own);
    throw boost::system::system_error{error};
  }
  set_options_of_accepted(acceptor);
  return acceptor.local_endpoint().port();
}

void Loop::count_routes() {
  meters_ = std::make_unique<RouteMeters>(listeners_.front()->handler.route_count());
  listeners_.front()->meters = meters_.get();
}

void Loop::add_route_counts(std::vector<RouteCounts>& sums) const {
  if (meters_) meters_->add_to(sums);
}

void Loop::run() {
  pthread_setname_np(pthread_self(), fmt::format("loop-{}", index_).c_str());
  accepting_ = listeners_.size();
  for (const auto& listener : listeners_) spawn(executor(), accept_connections(listener.get()), "accept");
  context_.run();
}

Task<void> Loop::accept_connections(Listener* listener) {
  asio::ip::tcp::endpoint peer;
  while (!draining_) {
    auto [error, socket] = co_await listener->acceptor.async_accept(peer, quiet);
    if (!error) {
      admit(*listener, std::move(socket), peer);
    } else if (listener->acceptor.is_open() && error != asio::error::connection_aborted) {
      // No descriptor or no memory left. Trying again at once would burn the core that others need to finish.
      log(LogLevel::error, "accept_failed", {{"reason", error.message()}});
      Timer pause{executor(), accept_pause};
      co_await pause.async_wait(quiet);
    }
  }
  --accepting_;
  tell_when_drained();
}

void Loop::admit(const Listener& listener, Socket socket, const asio::ip::tcp::endpoint& peer) {
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (error) return;
  const auto open = listener.connections.open.load(std::memory_order_relaxed);
  if (open >= listener.connections.max) {
    counters_.refused_connections.add();
    if (open >= listener.connections.max + refusing_max) return;
    auto refused = std::make_shared<Connection>(*this, listener, std::move(socket), peer);
    spawn(executor(), turn_away(std::move(refused), "The server has too many connections"), "refused");
    return;
  }
  auto [place, of_peer] = listener.connections.peers != nullptr
                              ? listener.connections.peers->enter(peer.address())
                              : std::pair<PeerCounts::Place, std::size_t>{};
  const auto peer_max = options().connections_per_address_max;
  const bool is_admitted = of_peer <= peer_max;
  (is_admitted ? counters_.accepted : counters_.refused_peers).add();
  if (of_peer > peer_max + refusing_max) return;
  auto connection = std::make_shared<Connection>(*this, listener, std::move(socket), peer);
  connection->place = std::move(place);  // also of who is told: its own flood closes its own door
  if (is_admitted) {
    spawn(executor(), serve(std::move(connection)), "connection");
  } else {
    spawn(executor(), turn_away(std::move(connection), "There are too many connections from your address"),
          "refused");
  }
}

void Loop::add(Connection& connection) {
  connection.index = connections_.size();
  connections_.push_back(&connection);
  connection.count.open.fetch_add(1, std::memory_order_relaxed);
  counters_.open.store(connections_.size(), std::memory_order_relaxed);
  if (!std::exchange(sweeping_, true)) spawn(executor(), sweep_connections(), "sweep");
}

void Loop::remove(Connection& connection) {
  connections_.back()->index = connection.index;
  std::swap(connections_[connection.index], connections_.back());
  connections_.pop_back();
  connection.count.open.fetch_sub(1, std::memory_order_relaxed);
  counters_.open.store(connections_.size(), std::memory_order_relaxed);
  tell_when_drained();
}

Task<void> Loop::sweep_connections() {
  const auto interval = sweep_interval(options());
  while (!connections_.empty()) {
    sweep_timer_.expires_after(interval);
    co_await sweep_timer_.async_wait(quiet);
    const std::int64_t now_ms = coarse_now_ms();
    for (Connection* connection : connections_) connection->look_at(now_ms);
  }
  sweeping_ = false;
}

bool Loop::is_crowded() const { return exchanges_out_ > idle_exchanges_max; }

std::unique_ptr<Exchange> Loop::take_exchange() {
  ++exchanges_out_;
  if (spare_exchanges_.empty()) return std::make_unique<Exchange>();
  auto exchange = std::move(spare_exchanges_.back());
  spare_exchanges_.pop_back();
  return exchange;
}

void Loop::give_back(std::unique_ptr<Exchange> exchange) {
  --exchanges_out_;
  count_held(*exchange, 0);
  exchange->peer_held_bytes = nullptr;
  exchange->request.answer_headers.clear();  // of a request that nobody was there to hear the answer of
  if (!exchange->is_small() || spare_exchanges_.size() >= spare_exchanges_max) return;
  exchange->input.truncate(0);
  wipe(exchange->body);
  wipe(exchange->output);
  spare_exchanges_.push_back(std::move(exchange));
}

void Loop::count_held(Exchange& exchange, std::size_t bytes) {
  const std::size_t beyond = bytes - std::min(bytes, limits::http_held_free_bytes);
  const std::size_t change = beyond - exchange.held_bytes;  // modulo 2^64, as what it is added to
  if (change == 0) return;
  exchange.held_bytes = beyond;
  held_bytes_ += change;
  if (exchange.peer_held_bytes != nullptr)
    exchange.peer_held_bytes->fetch_add(change, std::memory_order_relaxed);
}

bool Loop::may_hold(Exchange& exchange, std::size_t more_bytes) {
  count_held(exchange, exchange.capacity() + more_bytes);
  if (exchange.held_bytes == 0) return true;
  const auto* const of_peer = exchange.peer_held_bytes;
  return held_bytes_ <= held_max_bytes_ &&
         (of_peer == nullptr || of_peer->load(std::memory_order_relaxed) <= peer_held_max_bytes_);
}

void Loop::begin_drain() {
  asio::post(context_, [this] { drain(); });
}

void Loop::drain() {
  if (draining_) return;
  draining_ = true;
  for (const auto& listener : listeners_) {
    if (!listener->passed) accept_waiting(*listener);
    boost::system::error_code ignored;
    listener->acceptor.close(ignored);
  }
  for (Connection* connection : connections_) connection->interrupt_idle();
  tell_when_drained();
}

// What the kernel has accepted for us would be reset by closing: it is served as the last.
void Loop::accept_waiting(Listener& listener) {
  boost::system::error_code error;
  listener.acceptor.non_blocking(true, error);
  while (!error) {
    asio::ip::tcp::endpoint peer;
    Socket socket{context_};
    listener.acceptor.accept(socket, peer, error);
    if (!error) admit(listener, std::move(socket), peer);
  }
}

void Loop::tell_when_drained() {
  if (tearing_down_ || accepting_ != 0 || !draining_ || drained_ || !connections_.empty()) return;
  drained_ = true;
  const Lock lock{shared_.mutex};
  ++shared_.loops_drained;
  shared_.wake.notify_all();
}

}  // namespace keyward::web::engine
