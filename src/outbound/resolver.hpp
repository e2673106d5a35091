// From a name to its addresses, without holding the thread that asks.
//
// Looking a name up blocks, and has no time limit of its own. So it is done on threads beside (`kw-resolve`),
// of which there are four at most and none while nothing is looked up; all who ask for one name at a time
// share one look. Nobody waits for them at the end: what they use is theirs.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "runtime/task.hpp"
#include "text/ip_address.hpp"

namespace keyward::outbound {

/// Addresses in the order to try them; never none. Or why there are none, for the log.
using Resolved = std::expected<std::vector<text::IpAddress>, std::string>;

class Resolver {
 public:
  Resolver() = default;
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  virtual ~Resolver() = default;
  /// Called by several threads at a time.
  virtual Resolved blocking_resolve(const std::string& host) = 0;
};

/// What the system says: /etc/hosts, DNS and whatever else it is told to ask.
std::shared_ptr<Resolver> system_resolver();

class Lookups {
 public:
  explicit Lookups(std::shared_ptr<Resolver> resolver);
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;
  ~Lookups() { close(); }

  /// It may take long: `within()`.
  Task<Resolved> resolve(std::string host);
  /// From now on nobody is resumed. Before the loops of those who wait go.
  void close();

 private:
  struct State;
  static void thread_main(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace keyward::outbound
