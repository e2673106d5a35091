// TokenGate: from a bearer token (RFC 6750 §2.1) to the account behind it.
//
// A token is good when its signature, issuer, audience, type and times are (RFC 9068 §4), *and* its session
// lives and its account is not disabled: both are read from the database, and what the account may do with
// them (the token's own `roles` are for others to read). A signature is verified once per token and loop, and
// what the database said is kept for at most limits::cached_account_max_age while the revisions of the
// account and of the roles stay the same, so an ended session, a disabled account or a role that was taken
// away is refused at once on this node. Threats: a forged token (protocol/jose) · a token in the query (never
// read, O17) · a cache that outlives a revocation (revisions) · a flood of distinct tokens (bounded caches;
// only verified tokens enter one).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/audit/event_log.hpp"
#include "domain/keys/key_ring.hpp"
#include "domain/revisions/revisions.hpp"
#include "domain/roles/rights.hpp"
#include "domain/sessions/sessions.hpp"
#include "domain/tokens/token_issuer.hpp"
#include "storage/database.hpp"
#include "web/message.hpp"

namespace keyward::access {

/// Who calls.
struct Principal {
  domain::LiveAccount account;
  Uuid session_id;
  std::vector<std::string> roles;
  domain::PermissionSet permissions;
};

class TokenGate {
 public:
  struct Dependencies {
    storage::Database& database;
    domain::KeyRing& keys;
    const domain::TokenIssuer& tokens;
    domain::Revisions& revisions;
    domain::EventLog& events;
    const Clock& clock;
  };
  explicit TokenGate(Dependencies dependencies) : use_(dependencies) {}

  /// The caller if this loop knows all about the token; null: ask admit().
  std::shared_ptr<const Principal> find_admitted(const web::Request& request);
  /// The caller, or invalid_token. `request` outlives the coroutine.
  Task<Result<std::shared_ptr<const Principal>>> admit(const web::Request& request);

  /// The answer to a caller who lacks the permission or role `needed`; writes the event.
  std::unexpected<Error> refuse(const Principal& who, const web::Request& request, std::string_view needed);

 private:
  [[nodiscard]] protocol::jose::Checked<domain::VerifiedToken> verify_once(std::string_view token,
                                                                           const domain::KeySnapshot& keys,
                                                                           Time now) const;

  Dependencies use_;
};

}  // namespace keyward::access
