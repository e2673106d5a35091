#include "features/refresh/refresh.hpp"

#include <utility>

#include "domain/accounts/accounts.hpp"

namespace keyward::features {

namespace rules = protocol::refresh;

namespace {

std::unexpected<Error> not_valid(std::string reason) {
  return fail(ErrorCode::invalid_credentials, "The refresh token is not valid", std::move(reason));
}

bool is_served(rules::Action action) {
  return action == rules::Action::advance || action == rules::Action::renew ||
         action == rules::Action::repeat;
}

std::string_view result_of(const rules::Decision& decision) {
  switch (decision.action) {
    case rules::Action::advance:
      return "rotated";
    case rules::Action::renew:
      return "renewed";
    case rules::Action::repeat:
      return "repeated";
    case rules::Action::end:
      return "reuse";
    case rules::Action::refuse:
      return to_word(decision.reason);
  }
  std::unreachable();
}

std::string_view reason_of(rules::Action action) {
  return action == rules::Action::repeat ? "refresh_repeated" : "refresh";
}

}  // namespace

void Refresh::record(storage::Transaction& transaction, const domain::Refreshed& refreshed,
                     const Uuid& session_id, const Asker& asker) const {
  const auto& client = asker.client;
  const auto& decision = refreshed.decision;
  if (decision.action == rules::Action::refuse) return;
  if (is_served(decision.action)) {
    auto event = about("authn_token_created", client, refreshed.account_id, reason_of(decision.action));
    event.session_id = session_id;
    events.record(transaction, std::move(event));
    return;
  }
  auto event = about("authn_token_reuse", client, refreshed.account_id, to_word(decision.reason));
  event.session_id = session_id;
  events.record(transaction, event);
  event.name = "authn_token_revoked";
  event.reason = "token_reuse";
  events.record(transaction, std::move(event));
  if (const auto account = domain::find_account(transaction, *refreshed.account_id))
    mails.tell_session_ended_reuse(transaction, *account, asker);
}

Task<Result<TokenAnswer>> Refresh::refresh(web::Public, web::Body<RefreshForm, web::Unknown::ignored> form,
                                           web::Client client, RequestedLocale locale,
                                           web::AnswerHeaders headers) {
  Outcome outcome{results};
  if (auto admitted = co_await limits.admit(domain::LimitClass::refresh_address, client, headers);
      !admitted) {
    co_return outcome.refuse(admitted.error());
  }
  const auto presented = refresh_tokens.parse(form->refresh_token.text());
  if (!presented) co_return outcome.refuse(not_valid("not_genuine").error());

  // Before the change: once it is made, its client must get an answer.
  const auto known_keys = co_await keys.current();
  const domain::Device device{client.user_agent, client.address};
  const Asker asker{client, std::move(locale.tag), std::nullopt};
  // The moment of the call, not of its turn: time spent waiting for the writer takes nothing from the window.
  const auto now = clock.now();
  auto refreshed = co_await database.write([&](storage::Transaction& transaction) {
    auto done = domain::refresh_session(transaction, *presented, device, sessions, now);
    record(transaction, done, presented->session_id, asker);
    if (done.decision.action == rules::Action::end) {
      transaction.after_commit([this, id = *done.account_id] { revisions.bump_account(id); });
    }
    return done;
  });

  const auto& decision = refreshed.decision;
  outcome.is(result_of(decision));
  if (!is_served(decision.action)) {
    if (decision.action == rules::Action::refuse) {
      auto event = about("session_use_after_expire", client, refreshed.account_id, to_word(decision.reason));
      event.session_id = presented->session_id;
      events.emit(std::move(event));
    }
    co_return not_valid(std::string{to_word(decision.reason)});
  }
  const auto account_id = *refreshed.account_id;
  const auto current_keys = co_await keys.current_or(known_keys);
  auto access_token = tokens.issue(
      *current_keys,
      {.account_id = account_id, .session_id = presented->session_id, .roles = std::move(refreshed.roles)},
      clock.now(), random);  // not the `now` of before: a key may have become active since
  co_return TokenAnswer{std::move(access_token),
                        refresh_tokens.make({presented->session_id, decision.generation}), "bearer",
                        tokens.lifetime().count(), account_id};
}

}  // namespace keyward::features
