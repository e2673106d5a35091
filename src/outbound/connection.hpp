// Connection: a socket to one address, with TLS or without, and who is at its other end. For the thread
// kw-outbound.
#pragma once

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "outbound/request.hpp"
#include "outbound/tls.hpp"
#include "runtime/task.hpp"
#include "text/ip_address.hpp"

namespace keyward::outbound {

using Moment = std::chrono::steady_clock::time_point;

/// What a connection may be used for again: equal values only.
struct Peer {
  std::string origin;
  std::shared_ptr<const Trust> trust;

  bool operator==(const Peer& other) const {
    return origin == other.origin && (trust == other.trust || *trust == *other.trust);
  }
};

class Connection {
 public:
  struct Moved {
    boost::system::error_code error;
    std::size_t bytes = 0;
  };

  /// `open` counts the connections there are; it lives longer.
  Connection(const LoopExecutor& executor, Peer peer, std::atomic<std::size_t>& open);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// To this very address: no name is looked up from here on.
  Task<Fetched<void>> connect(text::IpAddress address, std::uint16_t port, Moment deadline);
  Task<Fetched<void>> shake_hands(Ssl session, Moment deadline);
  /// All of it, or an error with how much went before.
  Task<Moved> write(std::string_view bytes, Moment deadline);
  Task<Moved> read_some(boost::asio::mutable_buffer into, Moment deadline);

  [[nodiscard]] const Peer& peer() const { return peer_; }
  /// Nothing has come and the other end has not closed, as far as is known here.
  [[nodiscard]] bool is_quiet();

 private:
  using Stream = boost::beast::basic_stream<boost::asio::ip::tcp, LoopExecutor>;

  Peer peer_;
  std::atomic<std::size_t>& open_;
  Stream stream_;
  std::optional<boost::asio::ssl::stream<Stream&>> tls_;
};

/// `timed_out`, or what else it says.
Failure to_failure(const boost::system::error_code& error, Refusal otherwise);

}  // namespace keyward::outbound
