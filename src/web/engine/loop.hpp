// Loop: one thread, its io_context, its accepting socket and its connections.
#pragma once

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "base/mutex.hpp"
#include "runtime/task.hpp"
#include "web/engine/answer.hpp"
#include "web/engine/exchange.hpp"
#include "web/engine/head.hpp"
#include "web/engine/peer_counts.hpp"
#include "web/engine/proxy_hint.hpp"
#include "web/engine/request_id.hpp"
#include "web/engine/route_meters.hpp"
#include "web/engine/server.hpp"

namespace keyward::web::engine {

class Connection;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, LoopExecutor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;

/// Of a port, on all loops. Each port has its own, so that a flood at one leaves the others their place.
struct ConnectionCount {
  explicit ConnectionCount(std::size_t most) : max(most) {}
  const std::size_t max;
  PeerCounts* peers = nullptr;  // none: one address may have them all
  std::atomic<std::size_t> open = 0;
};

/// A port that this loop accepts at.
struct Listener {
  Acceptor acceptor;
  Handler& handler;
  ConnectionCount& connections;
  TlsCertificate* certificate = nullptr;  // none: without TLS
  bool passed = false;                    // the socket outlives us: who waits in it is served by the next
  RouteMeters* meters = nullptr;          // none: nobody looks at what comes here by route
};

/// What the loops share.
struct Shared {
  explicit Shared(ServerOptions given_options) : options(std::move(given_options)) {}
  const ServerOptions options;
  PeerCounts peers{options.trusted_proxies};                  // of the first port
  std::vector<std::unique_ptr<ConnectionCount>> connections;  // of each port; complete before the loops run
  ProxyHint proxy_hint;
  Mutex mutex;
  Condition wake;
  unsigned stop_calls KEYWARD_GUARDED_BY(mutex) = 0;
  unsigned loops_drained KEYWARD_GUARDED_BY(mutex) = 0;
};

/// Written by the loop, read by anybody.
struct LoopCounters {
  BasicCounter<Writers::one> accepted;
  BasicCounter<Writers::one> refused_connections;
  BasicCounter<Writers::one> refused_peers;
  BasicCounter<Writers::one> requests;
  BasicCounter<Writers::one> refused_requests;
  BasicCounter<Writers::one> timeouts;
  BasicCounter<Writers::one> refused_handshakes;
  BasicCounter<Writers::one> full_handshakes;
  BasicCounter<Writers::one> resumed_handshakes;
  std::atomic<std::uint64_t> open = 0;
};

class Loop {
 public:
  Loop(unsigned index, Shared& shared);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// Before run(). Returns the port; throws boost::system::system_error.
  std::uint16_t listen(const asio::ip::tcp::endpoint& endpoint, bool reuse_port, Handler& handler,
                       ConnectionCount& connections, TlsCertificate* certificate);
  /// The same for a socket that listens already, by a descriptor of this loop's own.
  std::uint16_t adopt(int socket, Handler& handler, ConnectionCount& connections,
                      TlsCertificate* certificate);
  /// Counts what comes to the first port by route, from now on. Before run().
  void count_routes();
  /// Adds what was counted.
  void add_route_counts(std::vector<RouteCounts>& sums) const;
  /// The thread's body: returns after halt().
  void run();
  /// These two from any thread.
  void begin_drain();
  void halt() { context_.stop(); }

  [[nodiscard]] LoopExecutor executor() { return context_.get_executor(); }
  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] const ServerOptions& options() const { return shared_.options; }
  [[nodiscard]] const HeadLimits& head_limits() const { return head_limits_; }
  [[nodiscard]] AnswerWriter& answers() { return answers_; }
  [[nodiscard]] RequestIds& request_ids() { return request_ids_; }
  [[nodiscard]] ProxyHint& proxy_hint() { return shared_.proxy_hint; }
  [[nodiscard]] LoopCounters& counters() { return counters_; }
  [[nodiscard]] const LoopCounters& counters() const { return counters_; }

  void add(Connection& connection);
  void remove(Connection& connection);
  /// So many exchanges are in use that an idle connection must not keep its own.
  [[nodiscard]] bool is_crowded() const;
  std::unique_ptr<Exchange> take_exchange();
  void give_back(std::unique_ptr<Exchange> exchange);
  /// The exchange holds so much now.
  void count_held(Exchange& exchange, std::size_t bytes);
  /// Counts what the exchange holds, and `more_bytes` that it is about to. False: all of them together, or
  /// those of its client's address, hold too much.
  [[nodiscard]] bool may_hold(Exchange& exchange, std::size_t more_bytes = 0);

 private:
  Task<void> accept_connections(Listener* listener);
  Task<void> sweep_connections();
  void admit(const Listener& listener, asio::basic_stream_socket<asio::ip::tcp, LoopExecutor> socket,
             const asio::ip::tcp::endpoint& peer);
  void accept_waiting(Listener& listener);
  void drain();
  void tell_when_drained();

  Shared& shared_;
  const unsigned index_;
  const HeadLimits head_limits_;
  LoopCounters counters_;
  std::unique_ptr<RouteMeters> meters_;
  AnswerWriter answers_;
  RequestIds request_ids_;
  std::vector<Connection*> connections_;
  std::vector<std::unique_ptr<Exchange>> spare_exchanges_;
  std::size_t exchanges_out_ = 0;
  std::size_t held_bytes_ = 0;  // by all exchanges, of each what is beyond limits::http_held_free_bytes
  const std::size_t held_max_bytes_;
  const std::size_t peer_held_max_bytes_;
  std::size_t accepting_ = 0;  // coroutines that accept: one that has not ended may hold a last connection
  bool draining_ = false;
  bool drained_ = false;
  bool sweeping_ = false;
  bool tearing_down_ = false;
  asio::io_context context_{1};  // goes first: it destroys the connections that are left, which use the above
  asio::executor_work_guard<LoopExecutor> work_{context_.get_executor()};
  std::vector<std::unique_ptr<Listener>> listeners_;
  Timer sweep_timer_{context_};
};

}  // namespace keyward::web::engine
