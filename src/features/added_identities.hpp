// Added identities: whoever takes their account back (a password reset by mail, a change of the address
// undone) also takes back what somebody else may have connected with it, however long ago.
#pragma once

#include <string>

#include "domain/audit/event_log.hpp"
#include "domain/identities/identities.hpp"
#include "features/events.hpp"

namespace keyward::features {

inline void disconnect_added_identities(storage::Transaction& transaction, domain::EventLog& events,
                                        const web::Client& client, const Uuid& account_id) {
  const auto count = domain::remove_added_identities(transaction, account_id);
  if (count == 0) return;
  auto event = about("user_updated", client, account_id, "identity_disconnected");
  event.detail = "identities " + std::to_string(count);
  events.record(transaction, std::move(event));
}

}  // namespace keyward::features
