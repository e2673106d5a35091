#include "simulation/promises.hpp"

#include "base/limits.hpp"
#include "domain/audit/audit_chain.hpp"
#include "domain/outbox/outgoing_mails.hpp"

namespace keyward::simulation {

namespace rules = protocol::refresh;

namespace {

constexpr seconds slack{300};  // how long a call may wait for the database while time passes

}  // namespace

void Promises::session_begun(const Uuid& id, SessionFacts facts) {
  if (!sessions_.emplace(id, std::move(facts)).second) trace_.violate("two logins got one session");
}

std::vector<Uuid> Promises::sessions_of(const Uuid& account) const {
  std::vector<Uuid> all;
  for (const auto& [id, facts] : sessions_) {
    if (facts.account == account) all.push_back(id);
  }
  return all;
}

void Promises::call_begins(const std::vector<Uuid>& sessions) {
  for (const auto& id : sessions) {
    if (const auto found = sessions_.find(id); found != sessions_.end()) ++found->second.doubts;
  }
}

void Promises::call_answered(const std::vector<Uuid>& sessions) {
  for (const auto& id : sessions) {
    if (const auto found = sessions_.find(id); found != sessions_.end()) --found->second.doubts;
  }
}

void Promises::refreshed(const domain::RefreshTokens::Named& presented, const rules::Decision& decision,
                         const domain::Device& device, Time now) {
  const auto found = sessions_.find(presented.session_id);
  if (found == sessions_.end()) return;  // of a login whose answer was lost
  auto& facts = found->second;
  const auto id = presented.session_id.to_string();
  const bool is_newest = presented.generation == facts.generation;
  if (decision.action == rules::Action::end) {
    if (decision.reason == rules::Reason::ahead)
      trace_.violate("session {}: its client holds generation {}, which the server does not know", id,
                     presented.generation);
    if (is_newest && facts.doubts == 0 && decision.reason != rules::Reason::another_client)
      trace_.violate("session {}: the newest token ends it ({})", id, to_word(decision.reason));
    facts.is_ended = true;
    return;
  }
  if (decision.action == rules::Action::refuse) {
    const bool is_unexplained = decision.reason == rules::Reason::session_ended && !facts.is_ended;
    if (is_unexplained && facts.doubts == 0 && clock_.latest() < facts.dead_at)
      trace_.violate("session {} is gone, and nobody ended it", id);
    return;
  }
  if (facts.is_ended) trace_.violate("session {} was ended, and is served", id);
  if (decision.action == rules::Action::advance) {
    if (!facts.advanced.insert(presented.generation).second)
      trace_.violate("session {}: generation {} has two successors", id, presented.generation);
    if (presented.generation < facts.generation)
      trace_.violate("session {}: generation {} was spent, and wins again", id, presented.generation);
    if (decision.generation != presented.generation + 1)
      trace_.violate("session {}: generation {} follows {}", id, decision.generation, presented.generation);
    facts.generation = decision.generation;
    facts.replaced_at = now;
    facts.user_agent = device.user_agent;
    return;
  }
  if (decision.generation < facts.generation || presented.generation + 1 < facts.generation)
    trace_.violate("session {}: generation {} was spent, and wins again", id, presented.generation);
  if (decision.generation > facts.generation) {
    facts.generation = decision.generation;  // the answer to the call that made it was lost
    facts.replaced_at.reset();
  }
  if (facts.replaced_at && now >= *facts.replaced_at + grace_)
    trace_.violate("session {}: generation {} is repeated after the window", id, presented.generation);
  if (facts.replaced_at && device.user_agent != facts.user_agent)
    trace_.violate("session {}: generation {} is repeated to another client", id, presented.generation);
}

void Promises::session_ended(const Uuid& id) {
  if (const auto found = sessions_.find(id); found != sessions_.end()) found->second.is_ended = true;
}

void Promises::sessions_ended(const Uuid& account, std::optional<Uuid> except) {
  for (auto& [id, facts] : sessions_) {
    if (facts.account == account && id != except) facts.is_ended = true;
  }
}

void Promises::token_issued(const std::string& token, const Uuid& account) {
  for (auto& [text, facts] : tokens_) {
    if (facts.account == account) facts.is_revoked = true;  // a newer one takes its place
  }
  tokens_.emplace(token, TokenFacts{.account = account});
}

void Promises::token_presented(const std::string& token, bool is_live) {
  const auto found = tokens_.find(token);
  if (found == tokens_.end() || !is_live) return;
  if (found->second.is_consumed) trace_.violate("a one-time token is good after it was used");
  if (found->second.is_revoked) trace_.violate("a one-time token is good after it was revoked");
}

void Promises::token_consumed(const std::string& token) {
  auto& facts = tokens_[token];
  if (facts.is_consumed) trace_.violate("a one-time token was used twice");
  if (facts.is_revoked) trace_.violate("a one-time token was used after it was revoked");
  facts.is_consumed = true;
}

void Promises::tokens_revoked(const Uuid& account) {
  for (auto& [text, facts] : tokens_) {
    if (facts.account == account && !facts.is_consumed) facts.is_revoked = true;
  }
}

void Promises::code_tried(const std::string& transaction, bool is_right) {
  auto& wrong = wrong_codes_[transaction];
  constexpr auto most = static_cast<unsigned>(limits::one_time_code_tries_max);
  if (is_right && wrong >= most) trace_.violate("a code is good after {} wrong ones", wrong);
  if (!is_right && ++wrong > most) trace_.violate("the {}th wrong code was compared", wrong);
}

void Promises::guessed(const std::string& bucket, std::uint64_t window, Time taken_at) {
  if (clearing_[bucket] != 0) return;
  auto& guesses = guesses_.try_emplace({bucket, window}, Guesses{.since = taken_at}).first->second;
  // A call that waited so long that its window ended meanwhile opens it anew, under the old number.
  // And the time of day was set, by which the database's windows end, and the row of one that ended was
  // swept: there is left what the node that is asked remembers.
  const bool is_swept = clock_.last_set() >= guesses.since && swept_at_ >= guesses.since;
  if (is_swept || taken_at - guesses.since > login_window - slack) guesses = {.since = taken_at};
  if (++guesses.count > login_attempts)
    trace_.violate("{} wrong passwords of {} in one window ({})", guesses.count, login_attempts, bucket);
}

void Promises::clear_begins(const std::string& bucket) { ++clearing_[bucket]; }

void Promises::process_died() {
  for (const auto& [bucket, count] : clearing_) {
    if (count != 0) forget_guesses(bucket);
  }
  clearing_.clear();
}

void Promises::cleared(const std::string& bucket) {
  if (auto& count = clearing_[bucket]; count != 0) --count;
  forget_guesses(bucket);
}

void Promises::forget_guesses(const std::string& bucket) {
  std::erase_if(guesses_, [&](const auto& counted) { return counted.first.first == bucket; });
}

void Promises::mail_delivered(const Uuid& id) {
  auto& facts = mails_[id];
  if (facts.is_undone) trace_.violate("mail {} tells of what was undone", id.to_string());
  ++facts.deliveries;
}

void Promises::carried_out(const std::string& request) {
  if (!carried_out_.insert(request).second) trace_.violate("request {} was carried out twice", request);
}

namespace {

struct SessionRow {
  Uuid id;
  std::int64_t generation = 0;
  std::optional<Time> ended_at;
};
BOOST_DESCRIBE_STRUCT(SessionRow, (), (id, generation, ended_at))

struct MailRow {
  Uuid id;
  std::string state;
  Time expires_at;
};
BOOST_DESCRIBE_STRUCT(MailRow, (), (id, state, expires_at))

}  // namespace

void Promises::check_sessions(storage::Transaction& transaction) {
  std::map<Uuid, SessionRow> rows;
  for (auto& row : transaction.list<SessionRow>("SELECT id, generation, ended_at FROM sessions"))
    rows.emplace(row.id, std::move(row));
  for (const auto& [id, facts] : sessions_) {
    const auto row = rows.find(id);
    if (row == rows.end()) {
      if (clock_.latest() < facts.dead_at) trace_.violate("session {} is gone", id.to_string());
      continue;
    }
    const auto generation = row->second.generation;
    if (generation < facts.generation)
      trace_.violate("session {}: generation {} was given out, {} is stored", id.to_string(),
                     facts.generation, generation);
    if (generation > facts.generation + static_cast<std::int64_t>(facts.doubts))
      trace_.violate("session {}: generation {} is stored, {} and {} lost answers are known", id.to_string(),
                     generation, facts.generation, facts.doubts);
    if (facts.is_ended && !row->second.ended_at)
      trace_.violate("session {} was ended, and lives", id.to_string());
  }
}

void Promises::check_mails(storage::Transaction& transaction, bool is_end) {
  std::map<Uuid, MailRow> rows;
  for (auto& row : transaction.list<MailRow>("SELECT id, state, expires_at FROM outgoing_mails"))
    rows.emplace(row.id, std::move(row));
  for (const auto& [id, facts] : mails_) {
    const auto row = rows.find(id);
    const auto name = id.to_string();
    if (row == rows.end()) {
      if (facts.deliveries != 0) trace_.violate("mail {} was delivered, and there is none", name);
      if (facts.is_promised) trace_.violate("mail {} is lost", name);
      continue;
    }
    if (facts.is_undone) trace_.violate("mail {} tells of what was undone", name);
    const auto& state = row->second.state;
    if (state == domain::mail_state::sent && facts.deliveries == 0)
      trace_.violate("mail {} is noted as sent, and was not", name);
    // What expired lost its content, which a clock that is set back does not bring back.
    const bool has_expired = clock_.latest() >= row->second.expires_at;
    if (state == domain::mail_state::failed && !facts.is_refused && !has_expired)
      trace_.violate("mail {} is noted as refused, and was not", name);
    if (is_end && state == domain::mail_state::waiting && !has_expired)
      trace_.violate("mail {} was never sent", name);
  }
}

void Promises::check(storage::Transaction& transaction, bool is_end) {
  check_sessions(transaction);
  check_mails(transaction, is_end);
  std::int64_t stored = 0;
  for (const auto& head : domain::list_chain_heads(transaction)) stored += head.sequence;
  if (stored < events_) trace_.violate("{} events were promised, {} are stored", events_, stored);
  if (!is_end) return;
  for (const auto& [request, at] : asked_) {
    if (clock_.latest() >= at + limits::deferred_lifetime) continue;  // too old, it may have been dropped
    if (!carried_out_.contains(request) && !carried_out_maybe_.contains(request))
      trace_.violate("request {} was never carried out", request);
  }
}

}  // namespace keyward::simulation
