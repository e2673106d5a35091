// Handover codes: how an application gets what came of a login at a provider, without a token in a URL.
//
// `kw_xc_` + base64url(256 random bits), good for a minute and for one use; only its SHA-256 is stored. It is
// bound to the application that began the login by PKCE (RFC 7636): whoever sees the URL lacks the verifier.
// A code to connect an identity is bound to the session that asked for it as well (F3).
//
// Threats: a code that leaks through a Referer or a history (verifier, one minute, once) · N parallel uses
// (one conditional UPDATE: one wins) · a stolen code used after the application has used it (RFC 6749
// §4.1.2: the session that came of it ends) · guessing the verifier (the first try uses the code up).
#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "base/uuid.hpp"
#include "domain/identities/identities.hpp"
#include "domain/sessions/sessions.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct NewHandoverCode {
  Uuid account_id;
  std::optional<Uuid> session_id;  // to connect: the one that asked; none: to log in
  IdentityKey identity;
  std::string email;           // as the provider said
  std::string code_challenge;  // empty: none
  Device device;               // the browser
};

/// A code that was live until now.
struct HandoverCode {
  Uuid account_id;
  std::optional<Uuid> session_id;
  std::string provider;
  std::string issuer;
  std::string subject;
  std::string email;
  std::string code_challenge;
  std::string user_agent;
  std::string address;
  [[nodiscard]] IdentityKey identity() const { return {provider, issuer, subject}; }
};
BOOST_DESCRIBE_STRUCT(HandoverCode, (),
                      (account_id, session_id, provider, issuer, subject, email, code_challenge, user_agent,
                       address))

/// The code itself: it is nowhere else.
std::string insert_handover_code(storage::Transaction& transaction, const NewHandoverCode& wanted, Time now,
                                 Random& random);

/// Uses a code to log in up, whatever comes of it: a value for exactly one of N calls.
std::optional<HandoverCode> use_login_code(storage::Transaction& transaction, std::string_view code,
                                           Time now);
/// Which session came of it, in case it is used again.
void note_session_of_code(storage::Transaction& transaction, std::string_view code, const Uuid& session_id);
/// The session that came of a code, when it was used before.
struct UsedCode {
  Uuid account_id;
  Uuid session_id;
};
BOOST_DESCRIBE_STRUCT(UsedCode, (), (account_id, session_id))
std::optional<UsedCode> find_used_code(storage::Transaction& transaction, std::string_view code);

/// Uses up a code to connect, if it is this account's and this session's: exactly one of N calls.
std::optional<HandoverCode> use_connect_code(storage::Transaction& transaction, std::string_view code,
                                             const Uuid& account_id, const Uuid& session_id, Time now);

/// Of codes, and of logins that came back.
bool has_expired_provider_logins(storage::Transaction& transaction, Time now);
/// Forgets what has expired, at most limits::session_sweep_max of each.
void sweep_provider_logins(storage::Transaction& transaction, Time now);

}  // namespace keyward::domain
