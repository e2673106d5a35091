// What every feature does the same way that changes other people's things.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "access/token_gate.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/roles/rights.hpp"
#include "domain/roles/rules.hpp"
#include "domain/sessions/sessions.hpp"
#include "features/events.hpp"

namespace keyward::features {

/// What the access check saw, once more inside the write: what the caller may do there and then. Refused when
/// their session ended or `needed` was taken from them meanwhile.
inline Result<domain::PermissionSet> check_acting(storage::Transaction& transaction,
                                                  const access::Principal& who, std::string_view needed,
                                                  Time now) {
  if (!domain::find_live_account(transaction, who.session_id, who.account.id, now))
    return fail(ErrorCode::invalid_token, "The access token is not valid", "session_ended");
  const auto own = domain::read_rights(transaction, who.account.id).permissions;
  if (auto allowed = domain::check_has(own, needed); !allowed) return fail_from(allowed);
  return own;
}

/// An event about what `who` did to the account `subject` (or to none).
inline domain::SecurityEvent by_admin(std::string_view name, const access::Principal& who,
                                      const web::Client& client, std::optional<Uuid> subject,
                                      std::string detail = {}) {
  auto event = about(name, client, subject);
  if (subject != who.account.id) event.actor_id = who.account.id;
  event.session_id = who.session_id;
  event.detail = std::move(detail);
  return event;
}

/// Passes a refusal on; one by the rules (403) is an event, as one by the access type is.
inline std::unexpected<Error> refuse_acting(domain::EventLog& events, const access::Principal& who,
                                            const web::Client& client, std::optional<Uuid> subject,
                                            Error refusal) {
  if (refusal.code == ErrorCode::forbidden) {
    auto event = by_admin("authz_fail", who, client, subject, refusal.message);
    event.reason = "rules";
    events.emit(std::move(event));
  }
  return std::unexpected(std::move(refusal));
}

}  // namespace keyward::features
