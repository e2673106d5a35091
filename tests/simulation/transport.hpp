// SimulatedTransport: a mail server at the other end of a bad line. It takes a mail or not, answers late,
// says no for a while or for good, or the line breaks before or after it has taken the mail.
#pragma once

#include "mail/transport.hpp"
#include "simulation/world.hpp"

namespace keyward::simulation {

class SimulatedTransport final : public mail::Transport {
 public:
  SimulatedTransport(World& world, Node& node) : world_(world), node_(node) {}
  mail::Delivery blocking_deliver(const mail::OutgoingMessage& message,
                                  const mail::MayGoOn& may_go_on) override;

 private:
  /// Others go on for a while. False: the attempt is to end.
  bool wait(const mail::MayGoOn& may_go_on);
  bool asks(const mail::MayGoOn& may_go_on);
  void deliver(const Uuid& id, std::uint64_t attempt);

  World& world_;
  Node& node_;
};

}  // namespace keyward::simulation
