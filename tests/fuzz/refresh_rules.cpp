// The rules of refresh (protocol/refresh): any row, any call, any time.
//
// Must hold: nothing is served after the end, beyond a limit, for an account that is not usable, or for
// another client; only the current generation leads to the next one, which is one higher; an idle limit never
// passes the absolute one.
#include "fuzz.hpp"
#include "protocol/refresh/refresh.hpp"

namespace keyward::fuzz {
namespace {

using namespace protocol::refresh;

/// Seconds around one moment, so that the interesting order of times is likely.
Time some_time(Input& given) { return from_unix_s(1'764'000'000 + static_cast<std::int8_t>(given.byte())); }
std::optional<Time> maybe_time(Input& given) {
  return given.flag() ? std::optional{some_time(given)} : std::nullopt;
}
Binding some_client(Input& given) { return Binding{given.flag() ? std::uint8_t{1} : std::uint8_t{2}}; }

}  // namespace

KEYWARD_FUZZ_TARGET(refresh_rules) {
  Input given{input};
  State state;
  state.generation = static_cast<std::int64_t>(given.byte() % 8);
  state.replaced_at = maybe_time(given);
  if (given.flag()) state.binding = some_client(given);
  state.idle_expires_at = some_time(given);
  state.expires_at = some_time(given);
  state.ended_at = maybe_time(given);
  state.policy = static_cast<Policy>(given.byte() % 3);
  state.account_usable = given.flag();
  Call call;
  call.generation = given.flag() ? given.int64() : static_cast<std::int64_t>(given.byte() % 8);
  call.binding = some_client(given);
  call.now = some_time(given);
  const Rules rules{.grace = seconds{given.byte() % 32}, .idle_lifetime = seconds{given.byte()}};

  const Decision decision = decide(state, call, rules);
  must_hold((decision.reason == Reason::none) == to_word(decision.reason).empty(), "a reason has its word");
  must_hold(parse_policy(to_word(state.policy)) == state.policy, "a policy is read by its word");
  must_hold(decision == decide(state, call, rules), "the same question has the same answer");
  const bool served = decision.action == Action::advance || decision.action == Action::renew ||
                      decision.action == Action::repeat;
  must_hold(served == (decision.reason == Reason::none), "what is not served has its reason");
  if (!served) return;
  must_hold(state.account_usable, "only a usable account is served");
  must_hold(!state.ended_at, "nothing is served after the end");
  must_hold(call.now < state.expires_at && call.now < state.idle_expires_at,
            "nothing is served beyond a limit");
  must_hold(decision.generation >= state.generation && decision.generation <= state.generation + 1,
            "the client gets the current generation or the next");
  if (decision.action == Action::advance) {
    must_hold(call.generation == state.generation && decision.generation == state.generation + 1,
              "only the current generation leads to the next");
    must_hold(state.policy == Policy::rotate, "and only where tokens are replaced");
  } else {
    must_hold(decision.generation == state.generation, "nothing else makes a generation");
  }
  if (decision.action == Action::repeat) {
    must_hold(call.generation == state.generation - 1, "only the generation just replaced is answered again");
    must_hold(state.binding == call.binding, "to the client that holds the session");
    must_hold(state.replaced_at && call.now - *state.replaced_at < rules.grace, "within the window");
    return;
  }
  must_hold(state.policy != Policy::sender_bound || state.binding == call.binding,
            "a bound token serves its client only");
  must_hold(decision.idle_expires_at <= state.expires_at, "an idle limit never passes the absolute one");
}

}  // namespace keyward::fuzz
