#include "features/password_attempts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.hpp"
#include "features/events.hpp"
#include "features/limited.hpp"
#include "runtime/pause.hpp"

namespace keyward::features {

namespace {

using domain::LimitClass;
using domain::Settlement;

constexpr std::string_view device_header = "Keyward-Device";
constexpr std::string_view device_cookie = "__Host-kw_device";

/// One cookie's value (RFC 6265 §5.4); empty when it is not there.
std::string_view find_cookie(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const auto end = cookies.find(';');
    auto pair = cookies.substr(0, end);
    pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
    if (end == std::string_view::npos) break;
    cookies.remove_prefix(end + 1);
  }
  return {};
}

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
    const auto refusal = co_await take(attempt, {{{LimitClass::login_devices, attempt.account},
                                                  {LimitClass::login_device, *attempt.device}}});
    if (!refusal) co_return attempt;
    if (refusal->pending) co_return too_many_passwords(*refusal);
    // Used up, perhaps by somebody who knew the password once and kept tokens: from here on the owner is one
    // more stranger, with the attempts that strangers share, and a success makes the device a new one.
    attempt.device.reset();
  }
  // The address first: whoever is over that limit does not even touch an account's.
  const auto address = limits.key_of_address(attempt.by.client.address);
  const auto refusal =
      co_await take(attempt, {{{LimitClass::login_address, address}, {LimitClass::login, attempt.account}}});
  if (refusal) co_return too_many_passwords(*refusal);
  co_return attempt;
}

Task<domain::Verdict> PasswordAttempts::take_or_wait(LimitClass limit, domain::LimitKey key) {
  auto wait = limits::attempt_first_wait;
  while (true) {
    const auto verdict = co_await uses_.limits.take(limit, key, uses_.clock.now());
    if (!verdict.pending || wait > limits::attempt_last_wait) co_return verdict;
    co_await pause(wait);
    wait *= 2;
  }
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): begin() awaits it in place
Task<std::optional<PasswordAttempts::Refusal>> PasswordAttempts::take(PasswordAttempt& attempt,
                                                                      std::array<Bucket, 2> buckets) {
  for (const auto [limit, key] : buckets) {
    const auto verdict = co_await take_or_wait(limit, key);
    const auto left = until_reset(verdict, uses_.clock.now());
    if (limit == own_bucket(attempt) || !verdict.allowed) {
      show_limit(attempt.by.headers, shown_name(limit), uses_.limits.rule_of(limit), verdict.remaining, left);
    }
    if (!verdict.allowed) {
      co_await give_back(attempt);  // no password will be compared
      attempt.taken.clear();
      if (verdict.first_refusal) uses_.events.emit(about_refusal(attempt, limit));
      co_return Refusal{.limit = limit, .pending = verdict.pending, .left = left};
    }
    attempt.taken.push_back(
        {.limit = limit, .key = key, .window = verdict.window, .gate_window = verdict.gate_window});
    attempt.was_last = verdict.remaining == 0;  // the own bucket is asked last
    attempt.failures_before = verdict.settled;
  }
  co_return std::nullopt;
}

std::unexpected<Error> PasswordAttempts::too_many_passwords(const Refusal& refusal) {
  const bool by_address = refusal.limit == LimitClass::login_address;
  return too_many(by_address ? "Too many wrong passwords from your address. Try again later"
                             : "Too many wrong passwords. Try again later",
                  refusal.pending ? seconds{1} : refusal.left);
}

Task<void> PasswordAttempts::failed(PasswordAttempt attempt) {
  for (const auto& taken : attempt.taken) co_await uses_.limits.settle(taken, Settlement::counted);
  if (attempt.was_last) {
    uses_.events.emit(about_attempt("authn_login_fail_max", attempt, own_bucket(attempt)));
  }
}

Task<void> PasswordAttempts::give_back(PasswordAttempt attempt) {
  for (const auto& taken : attempt.taken) co_await uses_.limits.settle(taken, Settlement::given_back);
}

Task<void> PasswordAttempts::succeeded(PasswordAttempt attempt) {
  const auto own = own_bucket(attempt);
  for (const auto& taken : attempt.taken) {
    // What strangers did to the account's bucket stays while the owner passes by another one.
    const bool is_own = taken.limit == own;
    co_await uses_.limits.settle(taken, is_own ? Settlement::cleared : Settlement::given_back);
  }
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
  for (const auto limit : {LimitClass::login, LimitClass::login_devices})
    co_await uses_.limits.settle({.limit = limit, .key = key}, Settlement::cleared);
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
