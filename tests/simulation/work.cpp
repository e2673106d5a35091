// Of Actors: forgotten passwords, codes, changes that are refused, and what a server does by itself.
#include "base/limits.hpp"
#include "domain/accounts/accounts.hpp"
#include "simulation/actors.hpp"
#include "storage/errors.hpp"

namespace keyward::simulation {

using domain::TokenPurpose;

void Actors::call_with_letter(Node& node) {
  auto& dice = world_.dice;
  if (!world_.transactions.empty() && dice.one_in(4)) {
    const auto at = std::next(world_.transactions.begin(),
                              static_cast<std::ptrdiff_t>(dice.below(world_.transactions.size())));
    for (auto tries = 1 + dice.below(7); tries > 0; --tries)
      begin(node, guess_code(node, at->second), "guess_code");
  }
  if (world_.inbox.empty()) return;
  const bool is_newest = dice.one_in(2);
  const auto& letter = is_newest ? world_.inbox.back() : dice.pick(world_.inbox);
  const bool by_code = dice.one_in(3);
  begin(node, reset_password(node, letter, by_code), "reset_password");
  if (!dice.one_in(2)) return;
  for (auto& other : world_.nodes) {
    if (other->is_up()) begin(*other, reset_password(*other, letter, by_code), "reset_password");
  }
}

// Coroutines: references are to the world and its nodes, which outlive them.
// NOLINTBEGIN(cppcoreguidelines-avoid-reference-coroutine-parameters)

Task<void> Actors::forget_password(Node& node, std::size_t person) {
  auto& parts = node.parts();
  const auto& known = world_.people[person];
  const auto call = next_call(node, fmt::format("{} forgot the password", known.email));
  const auto transaction_text = std::string{parts.tokens.make_transaction().text()};
  world_.transactions.emplace(call, transaction_text);
  const auto hash = domain::hash_one_time(as_bytes(transaction_text));
  try {
    co_await parts.database->write([&](storage::Transaction& transaction) {
      domain::begin_code_transaction(transaction, hash, world_.clock.now());
      parts.deferred.add(transaction, {.kind = std::string{domain::deferred_kind::forgot_password},
                                       .email = known.email,
                                       .transaction_hash = hash,
                                       .request_id = call});
    });
    world_.promises.asked(call);
    note(call, "asked");
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::guess_code(Node& node, std::string transaction_text) {
  auto& parts = node.parts();
  const auto code = fmt::format("{:08}", world_.dice.below(100'000'000));
  const auto call = next_call(node, fmt::format("guess the code {}", code));
  const domain::Proof proof{{}, Secret{transaction_text}, Secret{code}};
  try {
    const auto presented = co_await parts.database->write([&](storage::Transaction& transaction) {
      return parts.tokens.present(transaction, TokenPurpose::reset_password, proof, world_.clock.now());
    });
    // Whose code it was not is told only when it was compared.
    if (presented.account_id) world_.promises.code_tried(transaction_text, false);
    note(call, presented.token ? "right" : "wrong");
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::reset_password(Node& node, Letter letter, bool by_code) {
  auto& parts = node.parts();
  const auto call =
      next_call(node, fmt::format("reset the password of {} by {}", world_.people[letter.person].email,
                                  by_code ? letter.code : letter.token));
  const auto proof = by_code ? domain::Proof{{}, Secret{letter.transaction}, Secret{letter.code}}
                             : domain::Proof{Secret{letter.token}, {}, {}};
  const auto now = world_.clock.now();
  const auto look = [&](storage::Transaction& transaction) {
    return parts.tokens.present(transaction, TokenPurpose::reset_password, proof, now);
  };
  try {
    const auto presented =
        by_code ? co_await parts.database->write(look) : co_await parts.database->read(look);
    world_.promises.token_presented(letter.token, presented.token.has_value());
    if (by_code && presented.token) world_.promises.code_tried(letter.transaction, true);
    if (!presented.token) co_return note(call, "not good");
    co_await use_token(node, call, *presented.token, std::move(letter));
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

Task<void> Actors::use_token(Node& node, std::string call, domain::OneTimeToken token, Letter letter) {
  auto& known = world_.people[letter.person];
  const auto wanted = fmt::format("password {}", ++world_.passwords);
  known.passwords_maybe.push_back(wanted);
  const auto about = world_.promises.sessions_of(known.id);
  world_.promises.call_begins(about);
  const auto now = world_.clock.now();
  const auto changed =
      co_await node.parts().database->write([&](storage::Transaction& transaction) -> Result<Left> {
        if (!domain::consume_token(transaction, token.id, TokenPurpose::reset_password, now))
          return fail(ErrorCode::bad_request, "used meanwhile");
        if (!domain::reset_password_hash(transaction, known.id, token.email_normalized, wanted, now))
          return fail(ErrorCode::bad_request, "the account has changed");
        Change change{world_, node, transaction};
        domain::revoke_tokens(transaction, known.id);
        domain::end_sessions(transaction, known.id, std::nullopt, "password_reset", now);
        change.record("authn_password_change", known.id, std::nullopt);
        change.mail(mail::password_changed(to_addressee(known), {.at = now}));
        return change.left();
      });
  world_.promises.call_answered(about);
  note(call, changed ? "done" : changed.error().message);
  if (!changed) co_return;
  ++world_.counts["tokens used"];
  world_.promises.token_consumed(letter.token);
  world_.promises.tokens_revoked(known.id);
  world_.promises.sessions_ended(known.id, std::nullopt);
  promise(world_, *changed);
  known.password = wanted;
}

/// A call that has changed much when it finds that it must not.
Task<void> Actors::change_and_refuse(Node& node, std::size_t person) {
  auto& parts = node.parts();
  const auto& known = world_.people[person];
  const auto call = next_call(node, fmt::format("a change of {} that is refused", known.email));
  const auto now = world_.clock.now();
  try {
    const auto changed =
        co_await parts.database->write([&](storage::Transaction& transaction) -> Result<Left> {
          Change change{world_, node, transaction};
          (void)domain::set_full_name(transaction, known.id, "nobody", now);
          domain::end_sessions(transaction, known.id, std::nullopt, "refused", now);
          domain::revoke_tokens(transaction, known.id);
          change.record("user_updated", known.id, std::nullopt);
          const auto id = change.mail(mail::password_changed(to_addressee(known), {.at = now}));
          world_.promises.mail(id).is_undone = true;
          return fail(ErrorCode::conflict, "refused");
        });
    note(call, changed.error().message);
  } catch (const std::exception& error) {
    note(call, error.what());
  }
}

// NOLINTEND(cppcoreguidelines-avoid-reference-coroutine-parameters)

void Actors::send_mail(Node& node) {
  auto& sender = *node.parts().sender;
  try {
    if (sender.blocking_send_next()) world_.trace.add("{} has sent or put off a mail", node.name());
  } catch (const std::exception& error) {
    world_.trace.add("{} sends no mail: {}", node.name(), error.what());
  }
}

/// As app/deferred_work does.
void Actors::work_off_deferred(Node& node) {
  auto& parts = node.parts();
  auto& database = *parts.database;
  const auto now = world_.clock.now();
  std::string request_id;
  struct Done {
    std::optional<Uuid> account;
    std::string token;
    Left left;
  };
  try {
    const auto due = database.blocking_read(domain::find_next_due_request);
    if (!due || *due > now) return;
    const auto done = database.blocking_write([&](storage::Transaction& transaction) {
      Change change{world_, node, transaction};
      const auto request = domain::take_due_request(transaction, now);
      if (!request) return Done{};
      request_id = request->request_id;
      if (request->expires_at <= now) return Done{};
      const auto account = domain::find_account_by_email(transaction, request->email).value();
      const auto issued = parts.tokens.issue(transaction,
                                             {.account_id = account.id,
                                              .purpose = TokenPurpose::reset_password,
                                              .email = {account.email, account.email},
                                              .transaction_hash = request->transaction_hash},
                                             now);
      const auto person = static_cast<std::size_t>(std::ranges::find(world_.people, account.id, &Person::id) -
                                                   world_.people.begin());
      const mail::Link link{.url = "https://example.com/?token=" + issued.token,
                            .code = issued.code,
                            .expires_at = issued.expires_at};
      const auto id = change.mail(mail::reset_password(to_addressee(world_.people[person]), link));
      world_.letters.insert_or_assign(
          id, Letter{person, issued.token, issued.code, world_.transactions.at(request_id)});
      return Done{account.id, issued.token, change.left()};
    });
    if (request_id.empty()) return;
    if (!node.is_alive()) return world_.promises.maybe_carried_out(request_id);
    node.poll();  // whose changes shared the commit and came before
    world_.trace.add("{} carries out what {} asked for", node.name(), request_id);
    world_.promises.carried_out(request_id);
    if (done.account) world_.promises.token_issued(done.token, *done.account);
    promise(world_, done.left);
  } catch (const std::exception& error) {
    world_.trace.add("{} carries out nothing: {}", node.name(), error.what());
    if (!request_id.empty()) world_.promises.maybe_carried_out(request_id);
    try {
      database.blocking_write(
          [now](storage::Transaction& transaction) { domain::postpone_due_request(transaction, now); });
    } catch (const storage::Failure&) {
      world_.trace.add("{} cannot put it off", node.name());
    }
  }
}

void Actors::sweep(Node& node) {
  auto& parts = node.parts();
  auto& database = *parts.database;
  const auto now = world_.clock.now();
  world_.promises.counts_swept();
  try {
    database.blocking_write([&](storage::Transaction& transaction) {
      domain::sweep_sessions(transaction, now);
      domain::sweep_tokens(transaction, now);
      domain::sweep_mails(transaction, now);
      domain::sweep_counts(transaction);
    });
    const auto checkpoint = database.blocking_write([&](storage::Transaction& transaction) {
      return domain::make_checkpoint(transaction, world_.checkpoint_key, now, parts.random);
    });
    world_.trace.add("{} sweeps, and signs {}", node.name(), checkpoint ? "a checkpoint" : "nothing");
    if (checkpoint && node.is_alive()) world_.checkpoints.push_back(*checkpoint);
  } catch (const std::exception& error) {
    world_.trace.add("{} does not sweep: {}", node.name(), error.what());
  }
}

}  // namespace keyward::simulation
