#include "outbound/pool.hpp"

#include <iterator>
#include <utility>

#include "base/limits.hpp"

namespace keyward::outbound {

std::unique_ptr<Connection> Pool::take(const Peer& peer) {
  for (auto at = idle_.size(); at-- > 0;) {
    if (!(idle_[at].connection->peer() == peer)) continue;
    auto connection = std::move(idle_[at].connection);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(at));
    if (connection->is_quiet()) return connection;
  }
  return nullptr;
}

void Pool::put(std::unique_ptr<Connection> connection) {
  if (idle_.size() == limits::outbound_idle_connections_max) idle_.pop_front();
  idle_.push_back({std::move(connection), std::chrono::steady_clock::now() + idle_timeout_});
  wait_for_oldest();
}

void Pool::wait_for_oldest() {
  if (idle_.empty() || std::exchange(waiting_, true)) return;
  timer_.expires_at(idle_.front().until);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // the pool may be gone
    waiting_ = false;
    const auto now = std::chrono::steady_clock::now();
    while (!idle_.empty() && idle_.front().until <= now) idle_.pop_front();
    wait_for_oldest();
  });
}

}  // namespace keyward::outbound
