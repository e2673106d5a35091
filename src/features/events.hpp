// What every feature says the same way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "domain/audit/event_log.hpp"
#include "web/message.hpp"

namespace keyward::features {

/// A security event about a call of `client`.
inline domain::SecurityEvent about(std::string_view name, const web::Client& client,
                                   std::optional<Uuid> account_id = std::nullopt,
                                   std::string_view reason = {}) {
  return {.name = name,
          .account_id = account_id,
          .address = client.address,
          .user_agent = client.user_agent,
          .request_id = client.request_id,
          .reason = std::string{reason}};
}

struct EndedSessions {
  std::int64_t count = 0;
  const web::Client& client;
  Uuid account_id;
  std::string_view reason;
};
/// All that a change ended, as one event; none when it ended none.
inline void record_ended(storage::Transaction& transaction, domain::EventLog& events,
                         const EndedSessions& ended) {
  if (ended.count == 0) return;
  auto event = about("authn_token_revoked", ended.client, ended.account_id, ended.reason);
  event.detail = "sessions " + std::to_string(ended.count);
  events.record(transaction, std::move(event));
}

}  // namespace keyward::features
