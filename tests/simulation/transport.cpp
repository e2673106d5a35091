#include "simulation/transport.hpp"

#include "base/limits.hpp"
#include "domain/outbox/outgoing_mails.hpp"
#include "mail/sender.hpp"
#include "simulation/node.hpp"

namespace keyward::simulation {

using Verdict = mail::Delivery::Verdict;

namespace {

struct State {
  std::string state;
  bool is_leased = false;
};
BOOST_DESCRIBE_STRUCT(State, (), (state, is_leased))

}  // namespace

bool SimulatedTransport::wait(const mail::MayGoOn& may_go_on) {
  for (auto turns = world_.dice.below(4); turns > 0 && node_.is_alive(); --turns) {
    world_.meanwhile();
    if (!asks(may_go_on)) return false;
  }
  return asks(may_go_on);
}

bool SimulatedTransport::asks(const mail::MayGoOn& may_go_on) {
  const bool yes = may_go_on();
  if (node_.is_alive()) node_.poll();  // others may have shared its commit
  return yes;
}

/// The mail is with whom it is for.
void SimulatedTransport::deliver(const Uuid& id, std::uint64_t attempt) {
  world_.trace.add("  {} delivers mail {}", node_.name(), id.to_string());
  ++world_.counts["mails delivered"];
  world_.promises.mail_delivered(id);
  const Disk::Quiet quiet{world_.disk};
  const auto row = node_.parts().database->blocking_read([&](storage::Transaction& transaction) {
    return transaction.find<State>(
        "SELECT state, lease IS NOT NULL AS is_leased FROM outgoing_mails WHERE id = $1", id);
  });
  if (!row) {
    world_.trace.violate("mail {} is delivered, and its change was never committed", id.to_string());
  } else if (row->state != domain::mail_state::waiting || !row->is_leased) {
    world_.trace.violate("mail {} is delivered though it is {}", id.to_string(), row->state);
  }
  // Who has a mail in hand has it alone, for the time of a lease from its taking; unless the time of day was
  // set, by which the others know when that is over.
  const auto now = world_.clock.steady();
  // As the sender's, less what may pass between its taking the mail and its coming here.
  const auto lease = 2 * mail::SenderSettings{}.send_timeout + limits::mail_stop_grace - seconds{30};
  for (const auto& hand : world_.hands[id]) {
    const bool is_other = hand.attempt != attempt && world_.disk.is_alive(hand.process);
    if (is_other && now < hand.taken_at + lease && world_.clock.last_set() < hand.taken_at)
      world_.trace.violate("mail {} is sent by two at once", id.to_string());
  }
  if (const auto letter = world_.letters.find(id); letter != world_.letters.end())
    world_.inbox.push_back(letter->second);
}

mail::Delivery SimulatedTransport::blocking_deliver(const mail::OutgoingMessage& message,
                                                    const mail::MayGoOn& may_go_on) {
  node_.poll();  // whose changes shared a commit with the taking
  const auto attempt = ++world_.mail_attempts;
  world_.hands[message.id].push_back(
      {.attempt = attempt, .process = node_.process(), .taken_at = world_.clock.steady()});
  const auto done = [&](Verdict verdict, const char* reason) {
    std::erase_if(world_.hands[message.id], [&](const auto& hand) { return hand.attempt == attempt; });
    return mail::Delivery{.verdict = verdict, .reason = reason};
  };
  const bool breaks = world_.dice.chance(world_.plan.mail_faults);
  const auto fault = breaks ? world_.dice.below(4) : 4;
  if (!wait(may_go_on)) return done(Verdict::try_again, "stopped");
  if (fault == 0) return done(Verdict::try_again, "the line broke before the mail was taken");
  if (fault == 1 && world_.dice.one_in(3)) {
    if (!node_.is_alive()) return done(Verdict::try_again, "dead");
    world_.promises.mail(message.id).is_refused = true;
    return done(Verdict::refused, "550 no such mailbox");
  }
  if (!node_.is_alive()) return done(Verdict::try_again, "dead");
  deliver(message.id, attempt);
  node_.poll();
  const bool goes_on = wait(may_go_on);
  if (fault == 2) return done(Verdict::unsure, "the line broke after the mail was taken");
  if (fault == 3 || !goes_on) return done(Verdict::try_again, "the answer was lost");
  return done(Verdict::delivered, "");
}

}  // namespace keyward::simulation
