// Connection: a socket, its deadline, and the memory it has at the moment. The coroutine of
// engine/session.hpp owns it; its loop looks at it once per sweep.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <tuple>

#include "runtime/task.hpp"
#include "web/engine/exchange.hpp"
#include "web/engine/peer_counts.hpp"
#include "web/engine/server.hpp"
#include "web/tls/tls_stream.hpp"

namespace keyward::web::engine {

class Loop;
class RouteMeters;
struct ConnectionCount;
struct Listener;
using Socket = asio::basic_stream_socket<asio::ip::tcp, LoopExecutor>;

/// Errors as values: `auto [error, count] = co_await socket.async_read_some(buffer, quiet);`
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<LoopExecutor>> quiet{use_task};

/// Milliseconds of a clock that costs five nanoseconds to read and is exact to a few milliseconds.
std::int64_t coarse_now_ms();

/// Of a read or a write: what went wrong, or how many bytes.
using Moved = std::tuple<boost::system::error_code, std::size_t>;

enum class Phase : std::uint8_t { idle, head, body, handling, writing, lingering };

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t park_after_ms = 1000;

  Connection(Loop& loop, const Listener& listener, Socket socket, const asio::ip::tcp::endpoint& peer);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// A new phase, which must end within `timeout`.
  void enter(Phase phase, std::chrono::milliseconds timeout);
  /// A new phase whose time is the handler's.
  void enter_handling();
  /// The sweep: ends a wait whose time is up, and parks an idle connection that still holds an exchange.
  void look_at(std::int64_t now_ms);
  /// The drain: ends an idle wait.
  void interrupt_idle();

  /// With a listener that speaks TLS; false when the peer does not, or is too slow.
  Task<bool> handshake();
  // What the socket's own functions do on a connection without TLS.
  Task<Moved> read_tls(asio::mutable_buffer into);
  Task<Moved> write_tls(std::string_view bytes);
  /// Tells a peer that speaks TLS that this is the end.
  void close_tls();

  /// Gives this connection an exchange when it has none.
  Exchange& attach();
  /// Gives the exchange back.
  void park();
  /// Writes what is in the output as far as the kernel takes it at once; false when the peer is gone.
  bool write_now();
  /// Flushes when this loop is next free, while the handler works: an answer never waits for the next one.
  void write_soon();

  Loop& loop;
  Handler& handler;
  ConnectionCount& count;
  PeerCounts::Place place;
  RouteMeters* meters;
  Socket socket;
  std::unique_ptr<TlsStream> tls;  // none: the bytes go as they are
  std::unique_ptr<Exchange> exchange;
  asio::ip::address peer_address;
  std::size_t index = 0;  // among the loop's connections
  std::int64_t deadline_ms = never;
  std::int64_t entered_ms = 0;
  Phase phase = Phase::idle;
  bool timed_out = false;
  bool park_wanted = false;
  bool write_posted = false;

 private:
  Task<boost::system::error_code> wait_for_tls(TlsStream::State state);
  bool write_tls_now();
};

}  // namespace keyward::web::engine
