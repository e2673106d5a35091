// Engine: the thread kw-outbound, and how a request is carried out on it.
//
// Threat: a name that resolves to a public address when it is checked and to a private one when it is asked
// (DNS rebinding, F7). Answer: for each new connection the name is resolved once, each address is checked,
// and the connection is made to that very address.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "outbound/client.hpp"
#include "outbound/connection.hpp"
#include "outbound/pool.hpp"
#include "outbound/resolver.hpp"
#include "outbound/tls.hpp"
#include "runtime/task.hpp"

namespace keyward::outbound {

class Engine {
 public:
  explicit Engine(ClientOptions options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Ends what is under way.
  ~Engine();

  /// Starts the thread when it is asked for the first time.
  LoopExecutor executor();
  /// On that thread; `request` lives until it is done.
  Task<Fetched<Answer>> fetch(const Request* request);

  ClientMeters meters;
  std::atomic<std::size_t> under_way = 0;

 private:
  using Addresses = std::vector<text::IpAddress>;

  Task<Fetched<Answer>> fetch_from(Target target, const Request* request);
  Task<Fetched<Addresses>> find_addresses(const Target* target, const Trust* trust, Moment deadline);
  Task<Fetched<std::unique_ptr<Connection>>> connect(const Target* target, Peer peer, Moment deadline);
  Task<Fetched<std::unique_ptr<Connection>>> connect_to(text::IpAddress address, const Target* target,
                                                        Peer peer, Moment deadline);

  ClientOptions options_;
  std::map<std::string, std::size_t> under_way_of_;  // for each origin
  Lookups lookups_;
  TlsContexts tls_contexts_;
  boost::asio::io_context context_{1};  // destroys the coroutines that are left, which use the above …
  boost::asio::executor_work_guard<LoopExecutor> work_{context_.get_executor()};
  Pool pool_{context_.get_executor(),
             options_.idle_timeout};  // … and not this, whose sockets are the context's
  std::once_flag started_;
  std::thread thread_;
};

}  // namespace keyward::outbound
