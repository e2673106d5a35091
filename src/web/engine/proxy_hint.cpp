#include "web/engine/proxy_hint.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "web/client_address.hpp"
#include "web/engine/connection.hpp"

namespace keyward::web::engine {

void ProxyHint::look_at(const boost::asio::ip::address& peer, const Request& request,
                        const ServerOptions& options) {
  if (!names_a_client(request.headers)) return;  // the usual case, and the cheapest question
  auto next_ms = next_ms_.load(std::memory_order_relaxed);
  const auto now_ms = coarse_now_ms();
  if (now_ms < next_ms) return;
  const auto address = peer.to_string();
  if (!is_unlisted_proxy(address, options.trusted_proxies)) return;
  const auto later_ms = now_ms + std::chrono::milliseconds{limits::proxy_hint_interval}.count();
  if (!next_ms_.compare_exchange_strong(next_ms, later_ms)) return;  // another loop was first
  log(LogLevel::warning, "proxy_not_listed",
      {{"peer", address},
       {"hint",
        "it says for whom it asks and is not believed: if it is a proxy of yours, list it in "
        "server.trusted_proxies"}});
}

}  // namespace keyward::web::engine
