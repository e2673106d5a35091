// Identities: who a person is at a provider, and which account that is.
//
// The key is the provider's name in the configuration, its issuer, and the subject that the issuer gave
// (OpenID Connect Core §5.7, F1). The address of mail is kept for people to see, and nothing is ever found by
// it. An account has one identity of each provider at most.
//
// Threats: an address that changes hands upstream (never a key) · the same subject at two providers (both are
// in the key) · a provider whose name is given to another issuer (the issuer is in the key) · the last way in
// taken away, by two calls at once (a condition of the statement).
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/uuid.hpp"
#include "storage/transaction.hpp"

namespace keyward::domain {

struct IdentityKey {
  std::string provider;
  std::string issuer;
  std::string subject;
  bool operator==(const IdentityKey&) const = default;
};

/// A row, as its owner sees it.
struct Identity {
  std::string provider;
  std::string email;  // as the provider said last; empty: none
  Time connected_at;
  std::optional<Time> last_login_at;
};
BOOST_DESCRIBE_STRUCT(Identity, (), (provider, email, connected_at, last_login_at))

std::optional<Uuid> find_identity_owner(storage::Transaction& transaction, const IdentityKey& key);
std::vector<Identity> list_identities(storage::Transaction& transaction, const Uuid& account_id);
[[nodiscard]] bool has_identity_of(storage::Transaction& transaction, const Uuid& account_id,
                                   std::string_view provider, std::string_view issuer);

/// False, and nothing is stored, when it is connected already (to this account or another), or the account
/// has another identity of this provider. Of N parallel calls exactly one wins.
[[nodiscard]] bool insert_identity(storage::Transaction& transaction, const IdentityKey& key,
                                   const Uuid& account_id, std::string_view email, Time now);
/// What the provider says now, and when that was.
void note_identity_login(storage::Transaction& transaction, const IdentityKey& key, std::string_view email,
                         Time now);

/// Takes one away, with the codes of that provider that wait to be used. Errors: not_found; conflict: without
/// it there would be no way into the account.
Result<void> remove_identity(storage::Transaction& transaction, const Uuid& account_id,
                             std::string_view provider);
/// All but the one that the account was made with, which also stays only while its address is the account's:
/// they may be those of somebody who took it over. Returns how many.
std::int64_t remove_added_identities(storage::Transaction& transaction, const Uuid& account_id);

}  // namespace keyward::domain
