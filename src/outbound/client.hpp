// Client: the one way in which this server asks another one over HTTP.
//
// https with TLS 1.2 or 1.3 and a certificate that counts; http only to this machine, in development. Every
// request is HTTP/1.1 with `User-Agent: Keyward`, a GET, or a POST with a form. No proxy is taken from the
// environment, no redirect is followed, nothing compressed is asked for or taken. Connections are kept for
// the next request to the same server with the same Trust.
//
// Threats: being made to ask our own network (F7: target.hpp, public_address.hpp, engine.hpp) · an answer
// that is too large, too slow or no end (exchange.hpp) · a server that does not answer, and takes the place
// of all others (a request has 10 seconds in all; 256 are under way at most, 64 of them to one server) · a
// secret left in memory (what is sent is wiped, and what was read of an answer beside its body).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <string_view>

#include "base/limits.hpp"
#include "base/metrics.hpp"
#include "outbound/request.hpp"
#include "outbound/resolver.hpp"
#include "runtime/task.hpp"

namespace keyward::outbound {

/// For tests.
struct ClientOptions {
  std::shared_ptr<Resolver> resolver = nullptr;  // null: the system's
  std::chrono::milliseconds timeout = limits::outbound_timeout;
  std::chrono::milliseconds connect_timeout = limits::outbound_connect_timeout;
  std::chrono::milliseconds idle_timeout = limits::outbound_idle_timeout;
};

/// `ok`, and to_word() of each Refusal.
inline constexpr std::array<std::string_view, 13> result_words{
    "ok",         "bad_url",   "clear_text", "not_resolved", "address_not_allowed", "not_connected",
    "tls_failed", "timed_out", "too_large",  "redirected",   "wrong_content_type",  "malformed",
    "busy"};

struct ClientMeters {
  WordCounts results{result_words};
  Histogram seconds;  // of each request in all, whatever came of it
  std::atomic<std::size_t> open_connections = 0;
};

class Engine;

class Client {
 public:
  using Options = ClientOptions;

  explicit Client(Options options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Ends what is under way: their callers get Refusal::busy. Before the loops that they resume on go.
  ~Client();

  /// An answer with any status but 3xx; or why there is none. The thread starts with the first one.
  Task<Fetched<Answer>> send(Request request);

  [[nodiscard]] const ClientMeters& meters() const;
  /// For work that belongs to requests: of the thread that carries them out.
  [[nodiscard]] LoopExecutor executor();

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace keyward::outbound
