#include "features/password_attempts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "base/log.hpp"
#include "features/cookies.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "runtime/pause.hpp"

namespace keyward::features {

namespace {

using domain::LimitClass;
using domain::Settlement;

constexpr std::string_view device_header = "Keyward-Device";
constexpr std::string_view device_cookie = "__Host-kw_device";

/// Counted by the device when it is known, otherwise by the account.
LimitClass own_bucket(const PasswordAttempt& attempt) {
  return attempt.device ? LimitClass::login_device : LimitClass::login;
}

/// A client need not know which of the account's buckets it is counted in.
std::string_view shown_name(LimitClass limit) {
  return name_of(limit == LimitClass::login_address ? limit : LimitClass::login);
}

domain::SecurityEvent about_attempt(std::string_view name, const PasswordAttempt& attempt, LimitClass limit) {
  auto event = about(name, attempt.by.client, std::nullopt, name_of(limit));
  event.email = attempt.by.name;
  return event;
}

domain::SecurityEvent about_refusal(const PasswordAttempt& attempt, LimitClass limit) {
  const bool by_address = limit == LimitClass::login_address;
  return about_attempt(by_address ? "excess_rate_limit_exceeded" : "authn_login_lock", attempt, limit);
}

std::vector<domain::Settled> all_as(const PasswordAttempt& attempt, Settlement settlement) {
  std::vector<domain::Settled> all;
  for (const auto& taken : attempt.taken) all.push_back({.taken = taken, .settlement = settlement});
  return all;
}

}  // namespace

Task<Result<PasswordAttempt>> PasswordAttempts::begin(AttemptedBy by) {
  auto& limits = uses_.limits;
  PasswordAttempt attempt{.by = std::move(by)};
  attempt.account = limits.key_of_login(attempt.by.name);
  if (const auto known = uses_.devices.check(attempt.by.device.token, attempt.account, uses_.clock.now())) {
    attempt.device = known->id;
    attempt.device_known_at = known->issued_at;
  }
  if (!limits.enabled()) co_return attempt;

  if (attempt.device) {
    // Not by address: neighbours behind one address (NAT, a /64) must not lock out a device that is known.
    const auto refusal =
        co_await take(attempt, {{.limit = LimitClass::login_devices, .key = attempt.account},
                                {.limit = LimitClass::login_device, .key = *attempt.device}});
    if (!refusal) co_return attempt;
    if (refusal->pending) co_return too_many_passwords(*refusal);
    // Used up, perhaps by somebody who knew the password once and kept tokens: from here on the owner is one
    // more stranger, with the attempts that strangers share, and a success makes the device a new one.
    attempt.device.reset();
  }
  // The address first: whoever is over that limit is told so, and does not even touch an account's.
  const auto address = limits.key_of_address(attempt.by.client.address);
  const auto refusal = co_await take(attempt, {{.limit = LimitClass::login_address, .key = address},
                                               {.limit = LimitClass::login, .key = attempt.account}});
  if (refusal) co_return too_many_passwords(*refusal);
  co_return attempt;
}

Task<std::vector<domain::Verdict>> PasswordAttempts::take_or_wait(std::vector<domain::Bucket> buckets) {
  auto wait = limits::attempt_first_wait;
  while (true) {
    auto verdicts = co_await uses_.limits.take_each(buckets, uses_.clock.now());
    if (!verdicts.back().pending || wait > limits::attempt_last_wait) co_return verdicts;
    co_await pause(wait);
    wait *= 2;
  }
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): begin() awaits it in place
Task<std::optional<PasswordAttempts::Refusal>> PasswordAttempts::take(PasswordAttempt& attempt,
                                                                      std::vector<domain::Bucket> buckets) {
  const auto verdicts = co_await take_or_wait(buckets);
  const auto& last = verdicts.back();
  const auto limit = buckets.at(verdicts.size() - 1).limit;
  const auto left = until_reset(last, uses_.clock.now());
  show_limit(attempt.by.headers, shown_name(limit), uses_.limits.rule_of(limit), last.remaining, left);
  if (!last.allowed) {
    if (last.first_refusal) uses_.events.emit(about_refusal(attempt, limit));
    co_return Refusal{.limit = limit, .pending = last.pending, .left = left};
  }
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto& verdict = verdicts.at(i);
    attempt.taken.push_back({.limit = buckets[i].limit,
                             .key = buckets[i].key,
                             .window = verdict.window,
                             .gate_window = verdict.gate_window});
  }
  attempt.was_last = last.remaining == 0;
  attempt.failures_before = last.settled;
  co_return std::nullopt;
}

std::unexpected<Error> PasswordAttempts::too_many_passwords(const Refusal& refusal) {
  const bool by_address = refusal.limit == LimitClass::login_address;
  return too_many(by_address ? "Too many wrong passwords from your address. Try again later"
                             : "Too many wrong passwords. Try again later",
                  refusal.pending ? seconds{1} : refusal.left);
}

Task<void> PasswordAttempts::settle(std::vector<domain::Settled> all) {
  if (all.empty()) co_return;
  try {
    co_await uses_.limits.settle_each(std::move(all));
  } catch (const std::exception& exception) {
    log(LogLevel::warning, "password_attempt_not_settled", {{"reason", exception.what()}});
  }
}

Task<void> PasswordAttempts::failed(PasswordAttempt attempt) {
  co_await settle(all_as(attempt, Settlement::counted));
  if (attempt.was_last) {
    uses_.events.emit(about_attempt("authn_login_fail_max", attempt, own_bucket(attempt)));
  }
}

Task<void> PasswordAttempts::give_back(PasswordAttempt attempt) {
  co_await settle(all_as(attempt, Settlement::given_back));
}

Task<void> PasswordAttempts::succeeded(PasswordAttempt attempt) {
  const auto own = own_bucket(attempt);
  // What strangers did to the account's bucket stays while the owner passes by another one.
  auto all = all_as(attempt, Settlement::given_back);
  for (auto& each : all) {
    if (each.taken.limit == own) each.settlement = Settlement::cleared;
  }
  co_await settle(std::move(all));
  if (uses_.limits.enabled()) {
    const auto rule = uses_.limits.rule_of(own);
    show_limit(attempt.by.headers, shown_name(own), rule, rule.quota, rule.window);
  }
}

void PasswordAttempts::remember_device(const PasswordAttempt& attempt) {
  const auto token = uses_.devices.issue(attempt.account, attempt.device, uses_.clock.now(), uses_.random);
  attempt.by.headers.set(device_header, token);
  if (uses_.secure_cookies) {
    constexpr auto lifetime = std::chrono::duration_cast<seconds>(limits::device_token_lifetime);
    attempt.by.headers.set(
        "Set-Cookie", fmt::format("{}={}; Path=/; Max-Age={}; Secure; HttpOnly; SameSite=Lax", device_cookie,
                                  token, lifetime.count()));
  }
}

Task<void> PasswordAttempts::forgive(std::string email) {
  const auto key = uses_.limits.key_of_login(email);
  co_await settle(
      {{.taken = {.limit = LimitClass::login, .key = key}, .settlement = Settlement::cleared},
       {.taken = {.limit = LimitClass::login_devices, .key = key}, .settlement = Settlement::cleared}});
}

}  // namespace keyward::features

namespace keyward::web {

Result<features::PresentedDevice> Extract<features::PresentedDevice>::from(RequestContext& context) {
  if (const auto header = context.request.header(features::device_header)) {
    return features::PresentedDevice{std::string{*header}};
  }
  const auto cookies = context.request.header("Cookie").value_or("");
  return features::PresentedDevice{std::string{features::find_cookie(cookies, features::device_cookie)}};
}

}  // namespace keyward::web
