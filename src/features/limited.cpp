#include "features/limited.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "features/events.hpp"

namespace keyward::features {

Task<Result<void>> AddressLimits::admit(domain::LimitClass limit, web::Client client,
                                        web::AnswerHeaders headers) {
  if (!limits.enabled()) co_return Result<void>{};
  const auto now = clock.now();
  const auto verdict = co_await limits.take(limit, limits.key_of_address(client.address), now);
  const auto left = until_reset(verdict, now);
  show_limit(headers, name_of(limit), limits.rule_of(limit), verdict.remaining, left);
  if (verdict.allowed) co_return Result<void>{};
  // Once for a key and window: a flood of requests is no flood of events.
  if (verdict.first_refusal) {
    events.emit(about("excess_rate_limit_exceeded", client, std::nullopt, name_of(limit)));
  }
  co_return too_many("Too many requests from your address. Try again later", left);
}

void show_limit(const web::AnswerHeaders& headers, std::string_view name, domain::LimitRule rule,
                std::uint32_t remaining, seconds until_reset) {
  headers.set("RateLimit", fmt::format("\"{}\";r={};t={}", name, remaining, until_reset.count()));
  headers.set("RateLimit-Policy", fmt::format("\"{}\";q={};w={}", name, rule.quota, rule.window.count()));
}

seconds until_reset(const domain::Verdict& verdict, Time now) {
  return std::max(seconds{1}, std::chrono::ceil<seconds>(verdict.window_ends - now));
}

std::unexpected<Error> too_many(std::string message, seconds retry_after) {
  auto error = fail(ErrorCode::too_many_requests, std::move(message));
  error.error().retry_after_s = static_cast<int>(retry_after.count());
  return error;
}

}  // namespace keyward::features
