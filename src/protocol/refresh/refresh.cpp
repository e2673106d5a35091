#include "protocol/refresh/refresh.hpp"

#include <algorithm>
#include <utility>

namespace keyward::protocol::refresh {

namespace {

/// Why nobody is served from this session any more; none: somebody may be.
Reason find_dead_end(const State& state, Time now) {
  if (state.ended_at) return Reason::session_ended;
  if (!state.account_usable) return Reason::account_disabled;
  if (now >= state.expires_at) return Reason::absolute_expired;
  if (now >= state.idle_expires_at) return Reason::idle_expired;
  return Reason::none;
}

/// Between the replacement and `grace` later. A clock that was set back since then reads as inside: for as
/// long as it lags, a lost answer is worth more than a thief who needs the same client and the newest token.
bool is_inside_window(const State& state, Time now, std::chrono::seconds grace) {
  return grace.count() > 0 && state.replaced_at && now < *state.replaced_at + grace;
}

Decision use_current(const State& state, const Call& call, const Rules& rules) {
  const auto idle_expires_at = std::min(Time{call.now + rules.idle_lifetime}, state.expires_at);
  switch (state.policy) {
    case Policy::rotate:
      // Another client is no sign of theft here: browsers change their name when they are updated.
      return {
          .action = Action::advance, .generation = state.generation + 1, .idle_expires_at = idle_expires_at};
    case Policy::sender_bound:
      if (state.binding != call.binding) return {.action = Action::end, .reason = Reason::another_client};
      [[fallthrough]];
    case Policy::reuse:
      return {.action = Action::renew, .generation = state.generation, .idle_expires_at = idle_expires_at};
  }
  std::unreachable();
}

Decision use_replaced(const State& state, const Call& call, const Rules& rules) {
  if (!is_inside_window(state, call.now, rules.grace)) return {.action = Action::end, .reason = Reason::late};
  if (state.binding != call.binding) return {.action = Action::end, .reason = Reason::another_client};
  return {.action = Action::repeat, .generation = state.generation};
}

}  // namespace

Decision decide(const State& state, const Call& call, const Rules& rules) {
  if (const auto reason = find_dead_end(state, call.now); reason != Reason::none) {
    return {.action = Action::refuse, .reason = reason};
  }
  if (call.generation > state.generation) return {.action = Action::end, .reason = Reason::ahead};
  if (call.generation == state.generation) return use_current(state, call, rules);
  if (call.generation == state.generation - 1) return use_replaced(state, call, rules);
  return {.action = Action::end, .reason = Reason::replayed};
}

std::string_view to_word(Policy policy) {
  switch (policy) {
    case Policy::rotate:
      return "rotate";
    case Policy::reuse:
      return "reuse";
    case Policy::sender_bound:
      return "sender_bound";
  }
  std::unreachable();
}

std::optional<Policy> parse_policy(std::string_view word) {
  for (const auto policy : {Policy::rotate, Policy::reuse, Policy::sender_bound}) {
    if (word == to_word(policy)) return policy;
  }
  return std::nullopt;
}

std::string_view to_word(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "";
    case Reason::account_disabled:
      return "account_disabled";
    case Reason::session_ended:
      return "session_ended";
    case Reason::idle_expired:
      return "idle_expired";
    case Reason::absolute_expired:
      return "absolute_expired";
    case Reason::replayed:
      return "replayed";
    case Reason::late:
      return "late";
    case Reason::another_client:
      return "another_client";
    case Reason::ahead:
      return "ahead";
  }
  std::unreachable();
}

}  // namespace keyward::protocol::refresh
