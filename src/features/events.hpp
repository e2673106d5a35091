// What every feature says the same way.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

}  // namespace keyward::features
