// DeferredWork: does after the answer what must not be seen in it (domain/deferred), on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "base/clock.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "storage/database.hpp"

namespace keyward::app {

class DeferredWork {
 public:
  /// Works one request off, in the transaction that ends it.
  using CarryOut = std::function<void(storage::Transaction&, const domain::DeferredRequest&)>;

  DeferredWork(storage::Database& database, domain::DeferredRequests& requests, const Clock& clock,
               CarryOut carry_out)
      : database_(database), requests_(requests), clock_(clock), carry_out_(std::move(carry_out)) {}
  DeferredWork(const DeferredWork&) = delete;
  DeferredWork& operator=(const DeferredWork&) = delete;
  ~DeferredWork() { stop(); }

  void start();
  /// What is left is done by the next start, or by another node.
  void stop();

 private:
  void thread_main();
  /// Works off what is due; returns for how long there is nothing to do.
  microseconds blocking_work();
  void put_off();

  storage::Database& database_;
  domain::DeferredRequests& requests_;
  const Clock& clock_;
  CarryOut carry_out_;
  std::atomic<bool> stopping_ = false;
  std::jthread thread_;
};

}  // namespace keyward::app
