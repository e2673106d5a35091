// What an endpoint that is limited by the client's address says, in one line:
//   if (auto admitted = co_await limits.admit(LimitClass::refresh_address, client, headers); !admitted)
//     co_return fail_from(admitted);
//
// Every answer of such an endpoint carries RateLimit and RateLimit-Policy
// (draft-ietf-httpapi-ratelimit-headers-10); a refusal is 429 with Retry-After (RFC 6585 §4).
#pragma once

#include "domain/audit/event_log.hpp"
#include "domain/limits/limits.hpp"
#include "web/endpoint/endpoint.hpp"

namespace keyward::features {

struct AddressLimits {
  domain::Limits& limits;
  domain::EventLog& events;
  const Clock& clock;

  /// Counts one call of `client`. Error: too_many_requests.
  Task<Result<void>> admit(domain::LimitClass limit, web::Client client, web::AnswerHeaders headers);
};

/// `RateLimit: "login";r=4;t=900` and its policy: what is left, and the seconds until all of it is back.
void show_limit(const web::AnswerHeaders& headers, std::string_view name, domain::LimitRule rule,
                std::uint32_t remaining, seconds until_reset);

/// Whole seconds from `now`, one at least.
seconds until_reset(const domain::Verdict& verdict, Time now);

std::unexpected<Error> too_many(std::string message, seconds retry_after);

}  // namespace keyward::features
