#include "simulation/actors.hpp"

#include "domain/accounts/accounts.hpp"
#include "storage/errors.hpp"

namespace keyward::simulation {

using domain::LimitClass;
using domain::Settlement;
namespace rules = protocol::refresh;

namespace {

const std::array user_agents{std::string{"browser one"}, std::string{"browser two"},
                             std::string{"telephone"}};

}  // namespace

mail::Addressee to_addressee(const Person& person) {
  return {.email = {person.email, person.email}, .full_name = {}, .account_id = person.id, .locale = "en"};
}

void promise(World& world, const Left& left) {
  world.promises.events_recorded(left.events);
  for (const auto& id : left.mails) world.promises.mail(id).is_promised = true;
}

void Change::record(std::string_view event, const Uuid& account, std::optional<Uuid> session) {
  parts_.trail.record(transaction_,
                      parts_.trail.shown({.name = event, .account_id = account, .session_id = session}),
                      world_.clock.now());
  ++left_.events;
}

Uuid Change::mail(const mail::Mail& mail) {
  left_.mails.push_back(parts_.outbox.enqueue(transaction_, mail));
  return left_.mails.back();
}

void Actors::begin(Node& node, Task<void> task, const char* name) {
  spawn(node.parts().loop.get_executor(), std::move(task), name);
}

std::string Actors::next_call(Node& node, const std::string& what) {
  auto call = fmt::format("call {}", ++world_.calls);
  world_.trace.add("{} at {}: {}", call, node.name(), what);
  ++world_.counts["calls"];
  return call;
}

void Actors::note(const std::string& call, const std::string& what) {
  world_.trace.add("  {}: {}", call, what);
}

bool Actors::arrives(const std::string& call) {
  if (!world_.dice.chance(world_.plan.lost_answers)) return true;
  note(call, "the answer is lost");
  return false;
}

void Actors::call(Node& node) {
  auto& dice = world_.dice;
  const auto person = dice.below(world_.people.size());
  const auto& known = world_.people[person];
  const domain::Device device{dice.pick(user_agents), "192.0.2.1"};
  switch (dice.below(12)) {
    case 0:
    case 1: {
      const auto& maybe = known.passwords_maybe;
      const bool tries_another = !maybe.empty() && dice.one_in(2);
      return begin(node, log_in(node, person, tries_another ? dice.pick(maybe) : known.password, device),
                   "log_in");
    }
    case 2:  // many guesses at once
      for (auto guesses = 1 + dice.below(9); guesses > 0; --guesses)
        begin(node, log_in(node, person, fmt::format("guess {}", dice.next()), device), "log_in");
      return;
    case 3:
      return begin(node, forget_password(node, person), "forget_password");
    case 4:
      return begin(node, change_and_refuse(node, person), "change_and_refuse");
    case 5:
    case 6:
      return call_with_letter(node);
    default:
      return call_with_session(node);
  }
}

void Actors::call_with_session(Node& node) {
  if (world_.holders.empty()) return;
  auto& dice = world_.dice;
  const auto index = dice.below(world_.holders.size());
  const auto& holder = world_.holders[index];
  auto device = holder.device;
  if (dice.one_in(12)) device.user_agent = dice.pick(user_agents);
  const auto age = std::min<std::size_t>(dice.one_in(4) ? dice.below(4) : 0, holder.tokens.size() - 1);
  const auto token = holder.tokens[holder.tokens.size() - 1 - age];
  switch (dice.below(14)) {
    case 0:
      return begin(node, log_out(node, token), "log_out");
    case 1:
      return begin(
          node, change_password(node, holder.person, holder.session, world_.people[holder.person].password),
          "change_password");
    case 2:
    case 3:  // two tabs, at whichever nodes
      for (auto& other : world_.nodes) {
        if (other->is_up()) begin(*other, refresh(*other, index, token, device), "refresh");
      }
      [[fallthrough]];
    default:
      return begin(node, refresh(node, index, token, device), "refresh");
  }
}

// Coroutines: references are to the world and its nodes, which outlive them.
// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters)

Task<void> Actors::log_in(Node& node, std::size_t person, std::string password, domain::Device device) {
  auto& parts = node.parts();
  const auto email = world_.people[person].email;
  const auto call = next_call(node, fmt::format("log in as {} with {}", email, password));
  try {
    std::vector<domain::Bucket> buckets{
        {.limit = LimitClass::login_address, .key = parts.limits->key_of_address(device.address)},
        {.limit = LimitClass::login, .key = parts.limits->key_of_login(email)}};
    const auto verdicts = co_await parts.limits->take_each(buckets, world_.clock.now());
    if (!verdicts.back().allowed) co_return note(call, "too many");
    const auto taken_at = world_.clock.steady();
    std::vector<domain::Settled> settled;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      settled.push_back({.taken = {.limit = buckets[i].limit,
                                   .key = buckets[i].key,
                                   .window = verdicts[i].window,
                                   .gate_window = verdicts[i].gate_window}});
    }
    const auto bucket = world_.plan.limit_store == LimitStore::memory ? email + " at " + node.name() : email;
    const auto account = co_await parts.database->read([email](storage::Transaction& transaction) {
      return domain::find_account_by_email(transaction, email);
    });
    if (!account || account->password_hash != password) {
      note(call, "wrong password");
      ++world_.counts["wrong passwords"];
      world_.promises.guessed(bucket, verdicts.back().window, taken_at);
      co_return co_await parts.limits->settle_each(std::move(settled));
    }
    co_await start_session(node, call, person, *account, std::move(device));
    for (auto& each : settled) each.settlement = Settlement::given_back;
    settled.back().settlement = Settlement::cleared;
    world_.promises.clear_begins(bucket);
    co_await parts.limits->settle_each(std::move(settled));
    world_.promises.cleared(bucket);
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::start_session(Node& node, std::string call, std::size_t person, domain::Account account,
                                 domain::Device device) {
  auto& parts = node.parts();
  const auto now = world_.clock.now();
  const auto id = Uuid::make_v7(now, parts.random);
  const auto begun = co_await parts.database->write([&](storage::Transaction& transaction) -> Result<Left> {
    if (!domain::record_login(transaction, account.id, *account.password_hash, now))
      return fail(ErrorCode::invalid_credentials, "the account has changed");
    Change change{world_, node, transaction};
    domain::insert_session(transaction, id, account.id, device, world_.sessions, now);
    change.record("authn_login_success", account.id, id);
    if (account.last_login_at)
      change.mail(mail::new_device(to_addressee(world_.people[person]), {.at = now}));
    return change.left();
  });
  if (!begun) co_return note(call, begun.error().message);
  note(call, fmt::format("session {}", id.to_string()));
  ++world_.counts["sessions"];
  world_.promises.session_begun(id, {.account = account.id,
                                     .user_agent = device.user_agent,
                                     .dead_at = now + world_.sessions.absolute_lifetime});
  promise(world_, *begun);
  auto& known = world_.people[person];
  known.password = *account.password_hash;
  if (arrives(call)) world_.holders.push_back({person, id, {world_.refresh_tokens.make({id, 0})}, device});
}

Task<void> Actors::refresh(Node& node, std::size_t holder, std::string token, domain::Device device) {
  auto& parts = node.parts();
  const auto presented = world_.refresh_tokens.parse(token).value();
  const auto call =
      next_call(node, fmt::format("refresh {} generation {}, {}", presented.session_id.to_string(),
                                  presented.generation, device.user_agent));
  const auto now = world_.clock.now();
  const std::vector<Uuid> about{presented.session_id};
  world_.promises.call_begins(about);
  struct Done {
    domain::Refreshed refreshed;
    Left left;
  };
  try {
    const auto done = co_await parts.database->write([&](storage::Transaction& transaction) {
      Change change{world_, node, transaction};
      auto refreshed = domain::refresh_session(transaction, presented, device, world_.sessions, now);
      const auto action = refreshed.decision.action;
      if (action != rules::Action::refuse) {
        change.record(action == rules::Action::end ? "authn_token_reuse" : "authn_token_created",
                      *refreshed.account_id, presented.session_id);
      }
      if (action == rules::Action::end) {
        change.record("authn_token_revoked", *refreshed.account_id, presented.session_id);
        const auto& owner = world_.people[world_.holders[holder].person];
        change.mail(mail::session_ended_reuse(to_addressee(owner), {.at = now}));
      }
      return Done{std::move(refreshed), change.left()};
    });
    world_.promises.call_answered(about);
    const auto& decision = done.refreshed.decision;
    note(call, fmt::format("{} {}, generation {}", static_cast<int>(decision.action),
                           to_word(decision.reason), decision.generation));
    ++world_.counts["refreshes"];
    world_.promises.refreshed(presented, decision, device, now);
    promise(world_, done.left);
    const bool is_served = decision.action != rules::Action::end && decision.action != rules::Action::refuse;
    if (is_served && arrives(call)) {
      auto& tokens = world_.holders[holder].tokens;
      auto given = world_.refresh_tokens.make({presented.session_id, decision.generation});
      if (tokens.back() != given) tokens.push_back(std::move(given));
    }
  } catch (const storage::Unavailable& busy) {
    world_.promises.call_answered(about);
    note(call, busy.what());
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::log_out(Node& node, std::string token) {
  const auto presented = world_.refresh_tokens.parse(token).value();
  const auto id = presented.session_id;
  const auto call = next_call(node, fmt::format("log out {}", id.to_string()));
  const auto now = world_.clock.now();
  world_.promises.call_begins({id});
  try {
    const auto left = co_await node.parts().database->write([&](storage::Transaction& transaction) {
      Change change{world_, node, transaction};
      const auto owner = domain::find_session_owner(transaction, id);
      if (owner && domain::end_session(transaction, id, *owner, "logout", now))
        change.record("session_logout", *owner, id);
      return change.left();
    });
    world_.promises.call_answered({id});
    world_.promises.session_ended(id);
    promise(world_, left);
    note(call, "done");
  } catch (const storage::Unavailable& busy) {
    world_.promises.call_answered({id});
    note(call, busy.what());
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::change_password(Node& node, std::size_t person, Uuid session, std::string old_password) {
  auto& known = world_.people[person];
  auto wanted = fmt::format("password {}", ++world_.passwords);
  const auto call = next_call(node, fmt::format("change the password of {} to {}", known.email, wanted));
  const auto now = world_.clock.now();
  const auto about = world_.promises.sessions_of(known.id);
  world_.promises.call_begins(about);
  known.passwords_maybe.push_back(wanted);
  try {
    const auto changed =
        co_await node.parts().database->write([&](storage::Transaction& transaction) -> Result<Left> {
          if (!domain::replace_password_hash(transaction, known.id, old_password, wanted, now))
            return fail(ErrorCode::conflict, "the password was changed meanwhile");
          Change change{world_, node, transaction};
          domain::revoke_tokens(transaction, known.id);
          domain::end_sessions(transaction, known.id, session, "password_change", now);
          change.mail(mail::password_changed(to_addressee(known), {.at = now}));
          change.record("authn_password_change", known.id, session);
          return change.left();
        });
    world_.promises.call_answered(about);
    note(call, changed ? "done" : changed.error().message);
    if (!changed) co_return;
    ++world_.counts["password changes"];
    world_.promises.sessions_ended(known.id, session);
    world_.promises.tokens_revoked(known.id);
    promise(world_, *changed);
    known.password = wanted;
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

// NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)

}  // namespace keyward::simulation
