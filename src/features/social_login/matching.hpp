// AccountMatching: which account somebody has whom a provider vouches for. One transaction decides and does
// it.
//
// By the identity, when it is known. Else by the address, which must be verified by the provider, and then:
//   no account has it                        an account is made
//   an account has it, verified              connected by itself only when the provider is authoritative for
//                                            the domain (F2), and its owner is told; else refused: the owner
//                                            logs in and connects the provider there
//   an account has it, not verified          a claim of somebody who never showed that they read that mail:
//   it
//                                            is replaced by a new account, with another id and nothing of the
//                                            old one (F2), unless an admin gave it a role
//
// Threats: an account registered with the victim's address in wait for them ("pre-hijacking"; the claim goes,
// with its password, sessions, roles and identities) · a provider that lets people choose their address (F2)
// · two first logins at once (conditional inserts: one account).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/identities/identities.hpp"
#include "domain/revisions/revisions.hpp"
#include "features/account_mails.hpp"
#include "features/social_login/provider.hpp"
#include "storage/transaction.hpp"

namespace keyward::features {

class AccountMatching {
 public:
  struct Dependencies {
    const AccountMails& mails;
    domain::EventLog& events;
    domain::Revisions& revisions;
    Random& random;
    bool needs_verified_email = false;
  };
  explicit AccountMatching(Dependencies dependencies) : uses_(dependencies) {}

  /// The account. Its login is recorded by whoever makes the session. Errors, with the word for events and
  /// for the URL that the browser goes back to as their private detail: account_disabled, email_missing,
  /// email_unverified, sign_up_off (forbidden), account_exists (conflict).
  Result<domain::Account> match(storage::Transaction& transaction, const Provider& provider,
                                const protocol::oidc::Person& person, const Asker& asker, Time now) const;

 private:
  struct Arrival {
    const Provider& provider;
    const protocol::oidc::Person& person;
    const Asker& asker;
    domain::IdentityKey identity;
    Time now;
  };
  Result<domain::Account> enter(storage::Transaction& transaction, const Arrival& arrival,
                                const Uuid& account_id) const;
  Result<domain::Account> begin(storage::Transaction& transaction, const Arrival& arrival) const;
  Result<domain::Account> connect(storage::Transaction& transaction, const Arrival& arrival,
                                  const domain::Account& owner) const;
  bool drop_claim(storage::Transaction& transaction, const Arrival& arrival,
                  const domain::Account& claim) const;
  Result<domain::Account> make_account(storage::Transaction& transaction, const Arrival& arrival,
                                       const text::EmailAddress& email) const;
  Dependencies uses_;
};

}  // namespace keyward::features
