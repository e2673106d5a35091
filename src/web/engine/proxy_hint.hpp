// ProxyHint: tells the operator, now and then, of a proxy that is not listed in server.trusted_proxies.
#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>

#include "web/engine/server.hpp"
#include "web/message.hpp"

namespace keyward::web::engine {

class ProxyHint {
 public:
  /// From any thread. One line in limits::proxy_hint_interval at most, whatever requests say.
  void look_at(const boost::asio::ip::address& peer, const Request& request, const ServerOptions& options);

 private:
  std::atomic<std::int64_t> next_ms_ = 0;
};

}  // namespace keyward::web::engine
