#include "domain/sessions/refresh.hpp"

#include <stdexcept>
#include <utility>

#include "base/limits.hpp"
#include "domain/accounts/accounts.hpp"

namespace keyward::domain {

namespace rules = protocol::refresh;

namespace {

struct SessionRow {
  Uuid account_id;
  std::int64_t generation = 0;
  std::optional<Time> replaced_at;
  std::optional<rules::Binding> binding;
  Time idle_expires_at;
  Time expires_at;
  std::optional<Time> ended_at;
  std::string refresh_policy;
  bool disabled = false;
};
BOOST_DESCRIBE_STRUCT(SessionRow, (),
                      (account_id, generation, replaced_at, binding, idle_expires_at, expires_at, ended_at,
                       refresh_policy, disabled))

std::optional<SessionRow> find_row(storage::Transaction& transaction, const Uuid& id) {
  return transaction.find<SessionRow>(
      "SELECT s.account_id AS account_id, s.generation AS generation, s.replaced_at AS replaced_at, "
      "s.binding AS binding, s.idle_expires_at AS idle_expires_at, s.expires_at AS expires_at, "
      "s.ended_at AS ended_at, s.refresh_policy AS refresh_policy, a.disabled AS disabled "
      "FROM sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = $1",
      id);
}

rules::State to_state(const SessionRow& row) {
  const auto policy = rules::parse_policy(row.refresh_policy);
  if (!policy) throw std::logic_error("a session has an unknown refresh_policy: " + row.refresh_policy);
  return {.generation = row.generation,
          .replaced_at = row.replaced_at,
          .binding = row.binding,
          .idle_expires_at = row.idle_expires_at,
          .expires_at = row.expires_at,
          .ended_at = row.ended_at,
          .policy = *policy,
          .account_usable = !row.disabled};
}

/// Each true when the row was still as it was read. What the device is called and where it is follow its last
/// use.
bool advance(storage::Transaction& transaction, const Uuid& id, const rules::Call& call,
             const rules::Decision& decision, const Device& device) {
  return transaction.execute(
             "UPDATE sessions SET generation = generation + 1, replaced_at = $3, binding = $4, "
             "user_agent = $5, address = $6, last_used_at = $3, idle_expires_at = $7 "
             "WHERE id = $1 AND generation = $2 AND ended_at IS NULL",
             id, call.generation, call.now, call.binding, device.user_agent, device.address,
             decision.idle_expires_at) == 1;
}

bool renew(storage::Transaction& transaction, const Uuid& id, const rules::Call& call,
           const rules::Decision& decision, const Device& device) {
  return transaction.execute(
             "UPDATE sessions SET user_agent = $3, address = $4, last_used_at = $5, idle_expires_at = $6 "
             "WHERE id = $1 AND generation = $2 AND ended_at IS NULL",
             id, call.generation, device.user_agent, device.address, call.now, decision.idle_expires_at) == 1;
}

bool carry_out(storage::Transaction& transaction, const Uuid& id, const SessionRow& row,
               const rules::Call& call, const rules::Decision& decision, const Device& device) {
  switch (decision.action) {
    case rules::Action::advance:
      return advance(transaction, id, call, decision, device);
    case rules::Action::renew:
      return renew(transaction, id, call, decision, device);
    case rules::Action::end:
      return end_session(transaction, id, row.account_id, "token_reuse", call.now);
    case rules::Action::repeat:
    case rules::Action::refuse:
      return true;
  }
  std::unreachable();
}

}  // namespace

Refreshed refresh_session(storage::Transaction& transaction, const RefreshTokens::Named& presented,
                          const Device& device, const SessionSettings& settings, Time now) {
  const rules::Call call{presented.generation, binding_of(device), now};
  const rules::Rules limits_of_use{.grace = settings.refresh_grace, .idle_lifetime = settings.idle_lifetime};
  for (int attempt = 0; attempt < limits::refresh_attempts_max; ++attempt) {
    const auto row = find_row(transaction, presented.session_id);
    if (!row) return {{.reason = rules::Reason::session_ended}, std::nullopt, {}};
    const auto decision = rules::decide(to_state(*row), call, limits_of_use);
    if (!carry_out(transaction, presented.session_id, *row, call, decision, device)) continue;
    if (decision.action == rules::Action::end || decision.action == rules::Action::refuse) {
      return {decision, row->account_id, {}};
    }
    return {decision, row->account_id, list_roles(transaction, row->account_id)};
  }
  // Within one transaction nobody changes the row between a look and a statement, in either engine.
  throw std::logic_error("a session's row does not hold still");
}

}  // namespace keyward::domain
