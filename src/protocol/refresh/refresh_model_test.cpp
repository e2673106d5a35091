// The exhaustive model: every way in which up to four calls of an honest client with two tabs and of a thief
// can be sent, delayed, served, answered or lost, with the clock moving between any two of these, against
// decide().
//
// A state of the world is a value; every state that can be reached is visited once. What must hold is checked
// against a record of its own (when which generation was replaced, and by whom), not against the row. That
// the model can find a fault is tested too: each of a list of broken rules is caught, and for the reason it
// is there for.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <compare>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "protocol/refresh/refresh.hpp"

namespace keyward::protocol::refresh {
namespace {

using Rule = std::function<Decision(const State&, const Call&, const Rules&)>;

// Bytes, so that a world is one block without gaps that can be hashed as it lies.
using Small = std::int8_t;
constexpr Small grace_s = 10;
constexpr Small long_ago_s = -100;
constexpr Small nothing = -1;
constexpr Time start{seconds{1'800'000'000}};
constexpr Rules rules{.grace = seconds{grace_s}, .idle_lifetime = seconds{100'000}};
constexpr std::size_t generations_max = 6;
constexpr std::size_t calls_max = 4;

Time at(int second) { return start + seconds{second}; }

/// Tabs share one store (a cookie, local storage), and each reads it when it sends. The thief has copied it.
enum class Who : std::uint8_t { honest, thief_in_the_same_browser, thief_elsewhere };

Binding binding_of(Who who) {
  return Binding{static_cast<std::uint8_t>(who == Who::thief_elsewhere ? 2 : 1)};
}

struct InFlight {
  Who who = Who::honest;
  Small presented = nothing;  // the generation; nothing: there is no such call
  Small answer = nothing;     // the generation on its way back; nothing: not served yet
  auto operator<=>(const InFlight&) const = default;
};

struct Replacement {
  Small second = long_ago_s;
  Who by = Who::honest;
  bool happened = false;
  bool operator==(const Replacement&) const = default;
};

struct World {
  // The row.
  Small generation = 0;
  Small replaced_second = long_ago_s;
  Who bound_to = Who::honest;
  bool ended = false;
  // The others.
  Small second = 0;
  Small honest_token = 0;
  std::array<bool, generations_max> stolen{};
  std::array<InFlight, calls_max> calls;  // sorted: which tab it was makes no difference
  Small calls_left = calls_max;
  Small steps_left = 3;
  bool thief_has_called = false;
  // The record that the row is held against.
  std::array<Replacement, generations_max> replaced;
  bool operator==(const World&) const = default;
};
static_assert(std::has_unique_object_representations_v<World>);

struct Hash {
  std::size_t operator()(const World& world) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&world), sizeof world});
  }
};

struct Plan {
  Rule rule = decide;
  std::vector<Small> steps_s{4, 6, 10};
  Small calls = calls_max;
  Small steps = 3;
  bool with_thief = true;
  /// Whether the client leaves a token alone until it is as old as the window: what every client does that
  /// refreshes when its access token is about to expire.
  bool patient = false;
};

class Model {
 public:
  explicit Model(Plan plan) : plan_(std::move(plan)) {
    visit(World{.calls_left = plan_.calls, .steps_left = plan_.steps});
    while (!waiting_.empty()) {
      const auto world = std::move(waiting_.back());
      waiting_.pop_back();
      check_leaves(world);
      go_on(world);
    }
  }

  [[nodiscard]] std::size_t states() const { return seen_.size(); }
  [[nodiscard]] const std::set<std::string>& faults() const { return faults_; }

 private:
  void visit(World world) {
    std::ranges::sort(world.calls);  // tabs are alike
    if (seen_.insert(world).second) waiting_.push_back(world);
  }
  void expect(bool good, const std::string& fault) {
    if (!good) faults_.insert(fault);
  }

  void go_on(const World& world) {
    if (plan_.with_thief) {
      auto next = world;
      next.stolen.at(index_of(world.honest_token)) = true;
      visit(next);
    }
    if (world.calls_left > 0) send_all(world);
    for (std::size_t i = 0; i < calls_max; ++i) {
      if (world.calls.at(i).presented != nothing) move_on(world, i);
    }
    if (world.steps_left == 0) return;
    for (const auto step_s : plan_.steps_s) {
      auto next = world;
      next.second = static_cast<Small>(next.second + step_s);
      --next.steps_left;
      visit(next);
    }
  }

  void send_all(const World& world) {
    const auto send = [&](Who who, Small token) {
      auto next = world;
      add(next, {.who = who, .presented = token});
      --next.calls_left;
      next.thief_has_called = next.thief_has_called || who != Who::honest;
      visit(next);
    };
    if (!plan_.patient || world.second >= born(world, world.honest_token) + grace_s) {
      send(Who::honest, world.honest_token);
    }
    for (Small token = 0; index_of(token) < generations_max; ++token) {
      if (!world.stolen.at(index_of(token))) continue;
      send(Who::thief_in_the_same_browser, token);
      send(Who::thief_elsewhere, token);
    }
  }

  /// A call that was sent is served now; an answer on its way arrives, or is lost.
  void move_on(const World& world, std::size_t index) {
    const auto call = world.calls.at(index);
    auto next = world;
    next.calls.at(index) = {};
    if (call.answer == nothing) return serve(next, call);
    visit(next);  // lost
    if (call.who == Who::honest) {
      next.honest_token = call.answer;  // the last to arrive is kept, whatever it was
    } else {
      next.stolen.at(index_of(call.answer)) = true;
    }
    visit(next);
  }

  void serve(World world, InFlight call) {
    const auto before = world;
    const auto decision =
        plan_.rule(row_of(world), {call.presented, binding_of(call.who), at(world.second)}, rules);
    const bool served = decision.action == Action::advance || decision.action == Action::repeat;
    if (decision.action == Action::advance) {
      auto& replacement = world.replaced.at(index_of(call.presented));
      expect(!replacement.happened, "a generation was replaced twice");
      replacement = {.second = world.second, .by = call.who, .happened = true};
      world.generation = static_cast<Small>(decision.generation);
      world.replaced_second = world.second;
      world.bound_to = call.who;
    }
    if (decision.action == Action::end) world.ended = true;
    if (served) {
      expect(!before.ended, "an ended session was served");
      expect(decision.generation == world.generation, "an answer is not the current generation");
      call.answer = static_cast<Small>(decision.generation);
      add(world, call);
    }
    if (!before.ended) check_service(before, call, served, world.ended);
    visit(world);
  }

  /// What must become of a call on a session that had not ended.
  void check_service(const World& before, const InFlight& call, bool served, bool ended) {
    if (call.presented == before.generation) {
      expect(served, "the current token was refused");
      return;
    }
    const auto& replacement = before.replaced.at(index_of(call.presented));
    const bool older = call.presented < before.generation - 1;
    const bool late = before.second >= replacement.second + grace_s;
    const bool foreign = binding_of(call.who) != binding_of(replacement.by);
    if (late) expect(!served && ended, "a replay after the window did not end the session");
    if (older) expect(!served && ended, "a replay of an older generation did not end the session");
    if (foreign) expect(!served && ended, "a replay from another client did not end the session");
    if (!late && !older && !foreign) expect(served && !ended, "a client was logged out inside the window");
    // Of a patient client and no thief: nothing but lateness ever logs anybody out.
    if (plan_.patient && !before.thief_has_called)
      expect(served || late, "an honest client was logged out though it was not late");
  }

  /// Never two live branches: of all generations only the current one can be followed by another, and once
  /// the window has passed it is the only one that is served at all.
  void check_leaves(const World& world) {
    for (const int later_s : {0, 1 * grace_s, 2 * grace_s}) {
      for (Small token = 0; token <= world.generation + 1; ++token) {
        for (const auto who : {Who::honest, Who::thief_elsewhere}) {
          const auto decision =
              plan_.rule(row_of(world), {token, binding_of(who), at(world.second + later_s)}, rules);
          const bool follows = decision.action == Action::advance;
          const bool served = follows || decision.action == Action::repeat;
          if (world.ended) expect(!served, "an ended session was served");
          if (token == world.generation) continue;
          expect(!follows, "there are two live branches");
          if (later_s >= grace_s && world.second + later_s >= world.replaced_second + grace_s)
            expect(!served, "two tokens are good after the window");
        }
      }
    }
  }

  static std::size_t index_of(Small generation) { return static_cast<std::size_t>(generation); }

  static void add(World& world, const InFlight& call) {
    *std::ranges::find(world.calls, nothing, &InFlight::presented) = call;
  }

  static int born(const World& world, Small token) {
    return token == 0 ? long_ago_s : world.replaced.at(index_of(token) - 1).second;
  }

  static State row_of(const World& world) {
    return {.generation = world.generation,
            .replaced_at = world.generation == 0 ? std::nullopt : std::optional{at(world.replaced_second)},
            .binding = binding_of(world.bound_to),
            .idle_expires_at = at(90'000),
            .expires_at = at(90'000),
            .ended_at = world.ended ? std::optional{at(world.second)} : std::nullopt};
  }

  Plan plan_;
  std::unordered_set<World, Hash> seen_;
  std::vector<World> waiting_;
  std::set<std::string> faults_;
};

std::string text_of(const std::set<std::string>& faults) {
  std::string text;
  for (const auto& fault : faults) text += fault + "\n";
  return text;
}

TEST(RefreshModel, O14_O15_every_interleaving_of_four_calls_with_loss_delay_and_a_thief) {
  const Model model{Plan{}};
  EXPECT_EQ(text_of(model.faults()), "");
  EXPECT_GT(model.states(), 100'000U);  // it did look
  RecordProperty("states", static_cast<int>(model.states()));
}

TEST(RefreshModel, O15_a_patient_honest_client_is_never_logged_out_inside_the_window) {
  const Model model{Plan{.steps_s = {3, 6, 10}, .with_thief = false, .patient = true}};
  EXPECT_EQ(text_of(model.faults()), "");
  EXPECT_GT(model.states(), 1'000U);
}

TEST(RefreshModel, O15_a_clock_that_is_set_back_makes_no_second_branch_and_logs_nobody_out) {
  const Model model{Plan{.steps_s = {4, 10, -5}, .calls = 3}};
  EXPECT_EQ(text_of(model.faults()), "");
}

// ── The model finds what it is there for ──────────────────────────────────────────────────────────────────

struct Mutant {
  std::string name;
  Rule rule;
  std::string fault;
};

std::vector<Mutant> mutants() {
  const auto with_state = [](auto change) {
    return [change](const State& state, const Call& call, const Rules& given) {
      auto changed = state;
      change(changed, call);
      return decide(changed, call, given);
    };
  };
  const auto when = [](auto applies, Action instead) {
    return [applies, instead](const State& state, const Call& call, const Rules& given) {
      auto decision = decide(state, call, given);
      if (applies(decision)) decision = {.action = instead, .generation = state.generation};
      if (decision.action == Action::advance) decision.generation = call.generation + 1;
      return decision;
    };
  };
  const auto because = [](Reason reason) {
    return [reason](const Decision& decision) { return decision.reason == reason; };
  };
  return {
      {"no_window", with_state([](State& state, const Call&) { state.replaced_at.reset(); }),
       "a client was logged out inside the window"},
      {"no_end_to_the_window", when(because(Reason::late), Action::repeat),
       "a replay after the window did not end the session"},
      {"a_window_one_second_too_long",
       [](const State& state, const Call& call, const Rules& given) {
         return decide(state, call,
                       {.grace = given.grace + seconds{1}, .idle_lifetime = given.idle_lifetime});
       },
       "a replay after the window did not end the session"},
      {"any_client", with_state([](State& state, const Call& call) { state.binding = call.binding; }),
       "a replay from another client did not end the session"},
      {"any_generation", when(because(Reason::replayed), Action::repeat),
       "a replay of an older generation did not end the session"},
      {"refused_but_not_ended", when(because(Reason::late), Action::refuse),
       "a replay after the window did not end the session"},
      {"ended_sessions_go_on", with_state([](State& state, const Call&) { state.ended_at.reset(); }),
       "an ended session was served"},
      {"the_one_just_replaced_advances",
       when([](const Decision& decision) { return decision.action == Action::repeat; }, Action::advance),
       "there are two live branches"},
      {"the_current_one_is_suspected",
       when([](const Decision& decision) { return decision.action == Action::advance; }, Action::end),
       "the current token was refused"},
  };
}

TEST(RefreshModel, each_broken_rule_is_found_for_its_reason) {
  for (const auto& mutant : mutants()) {
    const Model model{Plan{.rule = mutant.rule,  // As much as it takes to meet each of them.
                           .steps_s = {4, 10},
                           .calls = 3,
                           .steps = 2}};
    EXPECT_TRUE(model.faults().contains(mutant.fault)) << mutant.name << ":\n" << text_of(model.faults());
  }
}

}  // namespace
}  // namespace keyward::protocol::refresh
