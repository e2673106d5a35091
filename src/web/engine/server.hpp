// Server: listens, reads requests strictly and within limits, asks the Handler, writes the answers, and
// drains.
//
// HTTP/1.1 and HTTP/1.0 with keep-alive and pipelining: RFC 9110, RFC 9112. One loop (an io_context run by
// one thread) per core, each with its own accepting socket (SO_REUSEPORT); a connection stays on its loop for
// life.
//
// Threats and answers
//   H1 request smuggling     engine/head.hpp and engine/chunked_body.hpp refuse what could be read in two
//   ways H2 slow or greedy peers  a limit on every size, count and time of ServerOptions; a limit that is met
//   is counted H3 fingerprinting        no Server header, no version; TRACE and CONNECT are refused here S8
//   missing headers       engine/answer.hpp puts the security headers on every answer
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "runtime/task.hpp"
#include "web/client_address.hpp"
#include "web/message.hpp"
#include "web/route_counts.hpp"
#include "web/tls/tls_certificate.hpp"

namespace keyward::web {

/// What stands behind the engine: the router in the server, a toy in a test. Called on the connection's loop.
struct Handler {
  virtual ~Handler() = default;
  /// `request` lives until the answer is written. An exception (of std::exception's kin) is logged and
  /// answered 500.
  virtual Task<Response> handle(Request& request) = 0;
  /// Request::route is this at most.
  [[nodiscard]] virtual std::size_t route_count() const { return 0; }
  /// The answer to what the engine refuses by itself: 400, 405, 408, 413, 414, 415, 417, 431, 500, 501, 503,
  /// 505.
  virtual Response refuse(unsigned status, std::string_view sentence, const std::string& request_id) = 0;
  /// What every answer to this request has: called for what refuse() made, once the request's head is known.
  virtual void dress(const Request& request, Response& response) const {
    static_cast<void>(request);
    static_cast<void>(response);
  }
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name that resolves to one
  std::uint16_t port = 0;          // 0: the kernel chooses; ask port()
  int passed_socket = -1;          // listens already, and is served instead of host and port
  unsigned loops = 0;              // 0: as many as cores
  std::size_t header_max_bytes = limits::http_header_max_bytes;
  std::size_t header_max_count = limits::http_header_max_count;
  std::size_t uri_max_bytes = limits::http_uri_max_bytes;
  std::size_t body_max_bytes = limits::http_body_max_bytes;
  std::size_t connections_max = limits::http_connections_max;  // at this port, of all loops
  std::size_t connections_per_address_max = limits::http_connections_per_address_max;  // peer_counts.hpp
  std::chrono::milliseconds header_timeout = limits::http_header_timeout;  // from its first byte to its last
  std::chrono::milliseconds body_timeout = limits::http_body_timeout;
  std::chrono::milliseconds idle_timeout = limits::http_idle_timeout;
  std::chrono::milliseconds write_timeout = limits::http_write_timeout;  // without a byte taken
  std::size_t write_min_bytes_per_s =
      limits::http_write_min_bytes_per_s;  // of a whole answer, beside that time
  std::chrono::milliseconds drain_deadline = limits::drain_deadline;
  std::chrono::milliseconds drain_delay{0};  // serving as before, from stop() on, while others learn of it
  bool access_log = false;
  bool strict_transport_security = false;                   // set when the public URL is https
  TrustedProxies trusted_proxies;                           // whose word about the client is believed
  ProxyHeader proxy_header = ProxyHeader::x_forwarded_for;  // where they say it
  TlsCertificate* certificate = nullptr;                    // HTTPS; outlives the server. None: HTTP
  std::function<void()> at_drain;  // called once, when the drain begins, on run()'s thread
};

struct ServerStatistics {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  // above connections_max
  std::uint64_t peers_refused = 0;        // connections above connections_per_address_max
  std::uint64_t requests = 0;             // given to the handler
  std::uint64_t requests_refused = 0;    // answered by the engine itself: malformed, over a limit or too slow
  std::uint64_t timeouts = 0;            // connections ended because the peer was too slow or idle
  std::uint64_t handshakes_refused = 0;  // connections that did not get as far as a request
  std::uint64_t handshakes_full = 0;
  std::uint64_t handshakes_resumed = 0;
};

class Server {
 public:
  /// Binds and listens, so that a port in use is told at once and connections wait from now on. `handler`
  /// must outlive the server; a pool that resumes handlers must be joined before the server is destroyed.
  static Result<std::unique_ptr<Server>> open(ServerOptions options, Handler& handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Another port, without TLS, with a handler of its own (which must outlive the server) and a place of its
  /// own for limits::http_side_connections_max connections. Before run(); port 0: the kernel chooses. With a
  /// socket that listens already, that is served instead. Returns the port.
  Result<std::uint16_t> listen_in_clear(const std::string& host, std::uint16_t port, Handler& handler,
                                        int passed_socket = -1);

  [[nodiscard]] std::uint16_t port() const;
  /// Serves until stop(), and for the drain delay, and until what was in flight is answered. False when the
  /// drain deadline passed first; the connections that were left are dropped then. Once only.
  bool run();
  /// Begins the drain. From any thread, also before run(); again: ends the drain at once.
  void stop();
  /// SIGTERM and SIGINT call stop(): the first drains, a second one ends at once. Before run().
  void stop_on_signals();

  /// For tasks that the application spawns beside the connections. They end, unfinished, with run().
  [[nodiscard]] unsigned loops() const;
  [[nodiscard]] LoopExecutor executor(unsigned loop) const;
  [[nodiscard]] ServerStatistics statistics() const;
  /// Of the port that open() bound: by Request::route. The first is what had none, and the engine's refusals.
  [[nodiscard]] std::vector<RouteCounts> route_counts() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace keyward::web
