#include "protocol/refresh/refresh.hpp"

#include <gtest/gtest.h>

namespace keyward::protocol::refresh {
namespace {

constexpr Time start{seconds{1'800'000'000}};
constexpr Rules rules{.grace = seconds{10}, .idle_lifetime = seconds{3600}};
constexpr Binding browser{1};
constexpr Binding phone{2};

/// A session of generation 5 whose generation 4 was replaced at `start`.
State session(Policy policy = Policy::rotate) {
  return {.generation = 5,
          .replaced_at = start,
          .binding = browser,
          .idle_expires_at = start + seconds{3600},
          .expires_at = start + seconds{86'400},
          .policy = policy};
}

struct Case {
  std::string name;
  State state;
  std::int64_t presented;
  Binding binding;
  microseconds later;
  Action action;
  Reason reason;
};

State with(State state, auto change) {
  change(state);
  return state;
}

std::vector<Case> cases() {
  using enum Action;
  using enum Reason;
  constexpr microseconds moment{1};
  constexpr microseconds window = rules.grace;
  const auto ended = with(session(), [](State& s) { s.ended_at = start; });
  const auto disabled = with(session(), [](State& s) { s.account_usable = false; });
  const auto unbound = with(session(), [](State& s) { s.binding.reset(); });
  const auto fresh = with(session(), [](State& s) { s.replaced_at.reset(); });
  const auto over = with(session(), [](State& s) { s.expires_at = s.idle_expires_at = start + seconds{5}; });
  return {
      {"the current one", session(), 5, browser, moment, advance, none},
      {"the current one from another client", session(), 5, phone, moment, advance, none},
      {"the current one of a session from before bindings", unbound, 5, browser, moment, advance, none},
      {"the one just replaced, at once", session(), 4, browser, microseconds{0}, repeat, none},
      {"at the end of the window", session(), 4, browser, window - moment, repeat, none},
      {"after the window", session(), 4, browser, window, end, late},
      {"long after", session(), 4, browser, window * 50, end, late},
      {"before it was replaced: the clock was set back", session(), 4, browser, -window, repeat, none},
      {"from another client", session(), 4, phone, moment, end, another_client},
      {"of nobody's binding", unbound, 4, browser, moment, end, another_client},
      {"of a row that tells no time", fresh, 4, browser, moment, end, late},
      {"an older one", session(), 3, browser, moment, end, replayed},
      {"the first one", session(), 0, browser, moment, end, replayed},
      {"a negative one", session(), -1, browser, moment, end, replayed},
      {"one ahead", session(), 6, browser, moment, end, ahead},
      {"ended", ended, 5, browser, moment, refuse, session_ended},
      {"ended, and replayed", ended, 2, phone, moment, refuse, session_ended},
      {"disabled", disabled, 5, browser, moment, refuse, account_disabled},
      {"disabled, in the window", disabled, 4, browser, moment, refuse, account_disabled},
      {"idle", session(), 5, browser, seconds{3600}, refuse, idle_expired},
      {"just not idle", session(), 5, browser, seconds{3600} - moment, advance, none},
      {"over", over, 5, browser, seconds{5}, refuse, absolute_expired},
      {"over, in the window", over, 4, browser, seconds{5}, refuse, absolute_expired},
      {"reuse: the current one", session(Policy::reuse), 5, browser, moment, renew, none},
      {"reuse: from anywhere", session(Policy::reuse), 5, phone, moment, renew, none},
      {"reuse: an older one", session(Policy::reuse), 3, browser, moment, end, replayed},
      {"bound: its client", session(Policy::sender_bound), 5, browser, moment, renew, none},
      {"bound: another", session(Policy::sender_bound), 5, phone, moment, end, another_client},
      {"bound: after a change of policy", session(Policy::sender_bound), 4, browser, moment, repeat, none},
  };
}

TEST(Refresh, O14_O15_O16_each_transition) {
  for (const auto& each : cases()) {
    const auto decision = decide(each.state, {each.presented, each.binding, start + each.later}, rules);
    EXPECT_EQ(decision.action, each.action) << each.name;
    EXPECT_EQ(decision.reason, each.reason) << each.name;
    const bool advances = each.action == Action::advance;
    const bool served = advances || each.action == Action::renew || each.action == Action::repeat;
    EXPECT_EQ(decision.generation, advances ? 6 : served ? 5 : 0) << each.name;
  }
}

TEST(Refresh, S4_the_idle_limit_slides_with_use_and_never_past_the_absolute_one) {
  for (const auto policy : {Policy::rotate, Policy::reuse, Policy::sender_bound}) {
    auto state = session(policy);
    const auto early = decide(state, {5, browser, start + seconds{100}}, rules);
    EXPECT_EQ(early.idle_expires_at, start + seconds{3700});
    state.idle_expires_at = state.expires_at;
    const auto near_the_end = decide(state, {5, browser, state.expires_at - seconds{100}}, rules);
    EXPECT_EQ(near_the_end.idle_expires_at, state.expires_at);
  }
}

TEST(Refresh, S4_a_session_used_every_hour_ends_at_its_absolute_limit) {
  auto state = session();
  const auto end = state.expires_at;
  Time now = start;
  while (true) {
    now += seconds{3599};
    const auto decision = decide(state, {state.generation, browser, now}, rules);
    if (decision.action != Action::advance) break;
    state.generation = decision.generation;
    state.idle_expires_at = decision.idle_expires_at;
  }
  EXPECT_GE(now, end);
  EXPECT_LT(now, end + seconds{3599});
}

TEST(Refresh, O15_without_a_window_each_token_is_good_for_one_call) {
  const Rules strict{.grace = seconds{0}, .idle_lifetime = seconds{3600}};
  for (const auto later : {microseconds{-5}, microseconds{0}, microseconds{5}}) {
    EXPECT_EQ(decide(session(), {4, browser, start + later}, strict).action, Action::end);
  }
}

TEST(Refresh, policies_have_words) {
  for (const auto policy : {Policy::rotate, Policy::reuse, Policy::sender_bound}) {
    EXPECT_EQ(parse_policy(to_word(policy)), policy);
  }
  EXPECT_FALSE(parse_policy("Rotate"));
  EXPECT_FALSE(parse_policy(""));
}

}  // namespace
}  // namespace keyward::protocol::refresh
