// CurrentPassword: a signed-in person shows that they know the account's password, before something that a
// stolen session must not do (P7). An attempt like a login's (password_attempts.hpp).
#pragma once

#include <string_view>

#include "domain/accounts/accounts.hpp"
#include "domain/audit/event_log.hpp"
#include "domain/passwords/password_hasher.hpp"
#include "features/password_attempts.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct CurrentPassword {
  domain::PasswordHasher& hasher;
  PasswordAttempts& attempts;
  domain::EventLog& events;

  struct Check {
    domain::Account account;
    Secret password;  // as it was sent
    web::Client client;
    PresentedDevice device;
    web::AnswerHeaders headers;
    std::string_view field = "password";  // that an error names
    std::string_view refusal_event;       // when it is the wrong one
  };
  /// Errors: forbidden, too_many_requests, invalid_input, unavailable.
  Task<Result<void>> check(Check wanted);
};

}  // namespace keyward::features
