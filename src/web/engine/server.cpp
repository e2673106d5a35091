#include "web/engine/server.hpp"

#include <fmt/format.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "web/engine/connection.hpp"
#include "web/engine/loop.hpp"

namespace keyward::web {

using asio::ip::tcp;
using engine::ConnectionCount;
using engine::Loop;
using engine::Shared;
using Signals = asio::basic_signal_set<LoopExecutor>;

struct Server::Parts {
  explicit Parts(ServerOptions options) : shared(std::move(options)) {}
  Shared shared;
  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<Signals> signals;
  std::uint16_t port = 0;

  ConnectionCount& add_count(std::size_t max) {
    return *shared.connections.emplace_back(std::make_unique<ConnectionCount>(max));
  }
};

namespace {

Result<tcp::endpoint> resolve(std::string host, std::uint16_t port) {
  const std::string given = host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint{address, port};
  asio::io_context context{1};
  asio::ip::basic_resolver<tcp, LoopExecutor> resolver{context};
  const auto found = resolver.resolve(host, fmt::to_string(port), error);
  if (error || found.empty()) {
    return fail(ErrorCode::internal, fmt::format("Cannot listen on {}: no such host", given),
                error.message());
  }
  return found.begin()->endpoint();
}

// Sockets with SO_REUSEPORT share a port with any other process of the same user, silently: half of the
// requests would go to a server that somebody forgot to stop. A bind without it fails while anybody listens.
// (Two servers that start within the same instant can still both pass.)
void probe(const tcp::endpoint& endpoint) {
  asio::io_context context{1};
  engine::Acceptor acceptor{context};
  acceptor.open(endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address{true});
  acceptor.bind(endpoint);
}

std::string name_of(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return fmt::format(fmt::runtime(endpoint.address().is_v6() ? "[{}]:{}" : "{}:{}"), address,
                     endpoint.port());
}

/// Every loop at one socket.
Result<std::uint16_t> adopt(const std::vector<std::unique_ptr<Loop>>& loops, int socket, Handler& handler,
                            ConnectionCount& connections, TlsCertificate* certificate) {
  std::uint16_t port = 0;
  try {
    for (const auto& loop : loops) port = loop->adopt(socket, handler, connections, certificate);
  } catch (const boost::system::system_error& error) {
    return fail(ErrorCode::internal, "Cannot serve the socket that was passed: " + error.code().message());
  }
  return port;
}

/// Every loop at one port.
Result<std::uint16_t> listen(const std::vector<std::unique_ptr<Loop>>& loops, const std::string& host,
                             std::uint16_t port, Handler& handler, ConnectionCount& connections,
                             TlsCertificate* certificate) {
  auto endpoint = resolve(host, port);
  if (!endpoint) return fail_from(endpoint);
  try {
    if (loops.size() > 1 && endpoint->port() != 0) probe(*endpoint);
    for (const auto& loop : loops) {
      // The other loops join the port that 0 became.
      endpoint->port(loop->listen(*endpoint, loops.size() > 1, handler, connections, certificate));
    }
  } catch (const boost::system::system_error& error) {
    return fail(ErrorCode::internal,
                fmt::format("Cannot listen on {}: {}", name_of(*endpoint),
                            error.code() == asio::error::address_in_use ? "the address is already in use"
                                                                        : error.code().message()));
  }
  return endpoint->port();
}

Task<void> wait_for_signals(Signals* signals, Server* server) {
  while (true) {
    const auto [error, number] = co_await signals->async_wait(engine::quiet);
    if (error) co_return;
    log(LogLevel::info, "stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
    server->stop();
  }
}

}  // namespace

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(ServerOptions options, Handler& handler) {
  if (options.loops == 0) options.loops = std::max(1U, std::thread::hardware_concurrency());
  auto parts = std::make_unique<Parts>(std::move(options));
  const auto& chosen = parts->shared.options;
  for (unsigned i = 0; i < chosen.loops; ++i)
    parts->loops.push_back(std::make_unique<Loop>(i, parts->shared));
  auto& connections = parts->add_count(chosen.connections_max);
  connections.peers = &parts->shared.peers;
  auto port = chosen.passed_socket >= 0
                  ? adopt(parts->loops, chosen.passed_socket, handler, connections, chosen.certificate)
                  : listen(parts->loops, chosen.host, chosen.port, handler, connections, chosen.certificate);
  if (!port) return fail_from(port);
  parts->port = *port;
  return std::unique_ptr<Server>{new Server{std::move(parts)}};
}

Result<std::uint16_t> Server::listen_in_clear(const std::string& host, std::uint16_t port, Handler& handler,
                                              int passed_socket) {
  auto& connections = parts_->add_count(limits::http_side_connections_max);
  if (passed_socket >= 0) return adopt(parts_->loops, passed_socket, handler, connections, nullptr);
  return listen(parts_->loops, host, port, handler, connections, nullptr);
}

std::uint16_t Server::port() const { return parts_->port; }
unsigned Server::loops() const { return static_cast<unsigned>(parts_->loops.size()); }
LoopExecutor Server::executor(unsigned loop) const { return parts_->loops.at(loop)->executor(); }

bool Server::run() {
  Shared& shared = parts_->shared;
  std::vector<std::jthread> threads;
  for (auto& loop : parts_->loops) loop->count_routes();
  for (auto& loop : parts_->loops) threads.emplace_back([&loop] { loop->run(); });

  bool drained = false;
  {
    Lock lock{shared.mutex};
    shared.wake.wait(shared.mutex, [&]() KEYWARD_REQUIRES(shared.mutex) { return shared.stop_calls > 0; });
    const auto all_drained = [&]() KEYWARD_REQUIRES(shared.mutex) {
      return shared.loops_drained == parts_->loops.size();
    };
    lock.unlock();
    if (shared.options.at_drain) shared.options.at_drain();
    lock.lock();
    shared.wake.wait_for(shared.mutex, shared.options.drain_delay,
                         [&]() KEYWARD_REQUIRES(shared.mutex) { return shared.stop_calls > 1; });
    lock.unlock();
    for (auto& loop : parts_->loops) loop->begin_drain();
    lock.lock();
    shared.wake.wait_for(shared.mutex, shared.options.drain_deadline, [&]() KEYWARD_REQUIRES(shared.mutex) {
      return all_drained() || shared.stop_calls > 1;
    });
    drained = all_drained();
  }
  for (auto& loop : parts_->loops) loop->halt();
  threads.clear();  // joins
  if (!drained) {
    log(LogLevel::warning, "drain_incomplete",
        {{"connections", fmt::to_string(statistics().connections_open)}});
  }
  return drained;
}

void Server::stop() {
  const Lock lock{parts_->shared.mutex};
  ++parts_->shared.stop_calls;
  parts_->shared.wake.notify_all();
}

void Server::stop_on_signals() {
  parts_->signals = std::make_unique<Signals>(executor(0), SIGTERM, SIGINT);
  spawn(executor(0), wait_for_signals(parts_->signals.get(), this), "signals");
}

ServerStatistics Server::statistics() const {
  ServerStatistics sum;
  for (const auto& loop : parts_->loops) {
    const engine::LoopCounters& counters = std::as_const(*loop).counters();
    sum.connections_open += counters.open.load(std::memory_order_relaxed);
    sum.connections_accepted += counters.accepted.value();
    sum.connections_refused += counters.refused_connections.value();
    sum.peers_refused += counters.refused_peers.value();
    sum.requests += counters.requests.value();
    sum.requests_refused += counters.refused_requests.value();
    sum.timeouts += counters.timeouts.value();
    sum.handshakes_refused += counters.refused_handshakes.value();
    sum.handshakes_full += counters.full_handshakes.value();
    sum.handshakes_resumed += counters.resumed_handshakes.value();
  }
  return sum;
}

std::vector<RouteCounts> Server::route_counts() const {
  std::vector<RouteCounts> sums;
  for (const auto& loop : parts_->loops) loop->add_route_counts(sums);
  return sums;
}

}  // namespace keyward::web
