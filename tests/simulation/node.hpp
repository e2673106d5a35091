// Node: one process, with the parts of the server that a schedule calls; its coroutines, and what runs them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>

#include "domain/audit/audit_trail.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/deferred/deferred_requests.hpp"
#include "domain/limits/limits.hpp"
#include "domain/limits/shared_rate_limiter.hpp"
#include "domain/one_time_tokens/one_time_tokens.hpp"
#include "mail/outbox.hpp"
#include "mail/sender.hpp"
#include "simulation/transport.hpp"
#include "simulation/world.hpp"
#include "storage/database.hpp"

namespace keyward::simulation {

class Node {
 public:
  Node(World& world, std::size_t number);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  /// Opens the database and migrates it. False: that did not work; the process has ended.
  bool start();
  /// A clean end: the database is closed, and tidied up by the last who leaves.
  void stop();
  /// After a death: what is left of it in this program is thrown away.
  void bury();

  [[nodiscard]] bool is_up() const { return parts_ != nullptr && is_alive(); }
  [[nodiscard]] bool has_parts() const { return parts_ != nullptr; }
  [[nodiscard]] bool is_alive() const { return world_.disk.is_alive(process_); }
  [[nodiscard]] ProcessId process() const { return process_; }
  [[nodiscard]] std::string name() const { return fmt::format("node {}.{}", number_, life_); }

  /// Runs `work` as this process, and then what it woke.
  template <class Work>
  void run(Work work) {
    const Disk::Running running{world_.disk, process_};
    work();
    if (is_alive()) poll();
  }
  void poll();

  struct Parts {
    Parts(World& world, Node& node);

    asio::io_context loop;  // goes last: what it never resumed dies with it
    SimulatedRandom random;
    domain::EventLog events;
    domain::AuditTrail trail;
    mail::Outbox outbox;
    domain::DeferredRequests deferred;
    domain::OneTimeTokens tokens;
    std::unique_ptr<storage::Database> database;
    std::unique_ptr<domain::DatabaseCounts> counts;
    std::unique_ptr<domain::RateLimiter> limiter;
    std::unique_ptr<domain::Limits> limits;
    SimulatedTransport transport;
    std::unique_ptr<mail::Sender> sender;
  };
  [[nodiscard]] Parts& parts() { return *parts_; }

 private:
  World& world_;
  std::size_t number_;
  unsigned life_ = 0;
  ProcessId process_ = 0;
  std::unique_ptr<Parts> parts_;
};

}  // namespace keyward::simulation
