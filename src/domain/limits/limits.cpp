#include "domain/limits/limits.hpp"

#include <algorithm>
#include <string>

#include "base/limits.hpp"
#include "crypto/digest.hpp"
#include "text/email.hpp"
#include "text/ip_address.hpp"

namespace keyward::domain {

namespace {

constexpr seconds hour{3600};
constexpr seconds minute{60};
constexpr unsigned v6_customer_bits = 64;
constexpr std::uint32_t exchanges_factor = 10;

std::string trimmed_lower_case(std::string_view text) {
  constexpr std::string_view white_space = " \t\r\n";
  const auto first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  std::string lower{text.substr(first, text.find_last_not_of(white_space) - first + 1)};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

}  // namespace

Limits::Limits(RateLimiter& engine, Secret key, const LimitSettings& settings)
    : engine_(engine), key_(std::move(key)), enabled_(settings.enabled) {
  const auto set = [this](LimitClass limit, LimitRule rule) { rules_.at(index_of(limit)) = rule; };
  const auto passwords = [&settings](std::uint32_t quota) {
    return LimitRule{.quota = quota, .window = settings.login_window, .is_settled = true};
  };
  set(LimitClass::login, passwords(settings.login_attempts));
  set(LimitClass::login_device, passwords(settings.login_attempts));
  set(LimitClass::login_devices, passwords(settings.login_attempts * limits::login_devices_factor));
  set(LimitClass::login_address, passwords(settings.login_address_attempts));
  set(LimitClass::register_address, {.quota = settings.register_per_hour, .window = hour});
  set(LimitClass::refresh_address, {.quota = settings.refresh_per_minute, .window = minute});
  set(LimitClass::forgot_address, {.quota = settings.forgot_per_hour, .window = hour});
  // Whoever registers by the dozen from one address keeps nobody from setting the server up.
  set(LimitClass::setup_address, {.quota = settings.register_per_hour, .window = hour});
  set(LimitClass::proof_address, {.quota = settings.proofs_per_minute, .window = minute});
  set(LimitClass::provider_address, {.quota = settings.provider_logins_per_minute, .window = minute});
  set(LimitClass::exchange_address,
      {.quota = settings.provider_logins_per_minute * exchanges_factor, .window = minute});
}

LimitKey Limits::key_of_login(std::string_view typed) const {
  const auto email = text::parse_email(typed);
  return email ? key_of("account", email->normalized) : key_of("name", trimmed_lower_case(typed));
}

LimitKey Limits::key_of_address(std::string_view address) const {
  const auto parsed = text::IpAddress::parse(address);
  if (!parsed) return key_of("peer", address);
  return key_of("address", parsed->is_v4() ? parsed->to_text() : parsed->prefix(v6_customer_bits).to_text());
}

LimitKey Limits::key_of(std::string_view kind, std::string_view subject) const {
  std::string message{kind};
  message += '\0';
  message += subject;
  const auto code = crypto::hmac_sha256(key_.bytes(), as_bytes(message));
  LimitKey key{};
  std::copy_n(code.begin(), key.size(), key.begin());
  return key;
}

void Limits::note(LimitClass limit, const Verdict& verdict) {
  if (!verdict.allowed && !verdict.pending) {
    refusals_.at(index_of(limit)).fetch_add(1, std::memory_order_relaxed);
  }
  if (verdict.crowded) crowded_.at(index_of(limit)).fetch_add(1, std::memory_order_relaxed);
}

Task<Verdict> Limits::take(LimitClass limit, LimitKey key, Time now) {
  const auto verdict = co_await engine_.take(limit, rule_of(limit), key, now);
  note(limit, verdict);
  co_return verdict;
}

Task<std::vector<Verdict>> Limits::take_each(std::vector<Bucket> buckets, Time now) {
  for (auto& bucket : buckets) bucket.rule = rule_of(bucket.limit);
  auto verdicts = co_await engine_.take_each(buckets, now);
  for (std::size_t i = 0; i < verdicts.size(); ++i) note(buckets.at(i).limit, verdicts[i]);
  co_return verdicts;
}

Task<void> Limits::settle_each(std::vector<Settled> all) { return engine_.settle_each(std::move(all)); }

}  // namespace keyward::domain
