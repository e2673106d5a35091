// Pool: connections that wait for the next request to the same peer. For the thread kw-outbound.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <deque>
#include <memory>

#include "outbound/connection.hpp"

namespace keyward::outbound {

class Pool {
 public:
  Pool(const LoopExecutor& executor, std::chrono::milliseconds idle_timeout)
      : idle_timeout_(idle_timeout), timer_(executor) {}

  /// The one that was used last; null when there is none that can still be used.
  std::unique_ptr<Connection> take(const Peer& peer);
  /// Until the idle timeout at most. The oldest makes room.
  void put(std::unique_ptr<Connection> connection);

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    Moment until;
  };
  void wait_for_oldest();

  std::chrono::milliseconds idle_timeout_;
  std::deque<Idle> idle_;  // the oldest first
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>
      timer_;
  bool waiting_ = false;
};

}  // namespace keyward::outbound
