#include "domain/limits/device_tokens.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {

namespace {

constexpr std::string_view token_prefix = "kw_dv_";
constexpr std::uint8_t version = 1;
constexpr std::size_t issued_offset = 1;
constexpr std::size_t device_offset = issued_offset + 8;
constexpr std::size_t code_offset = device_offset + sizeof(DeviceId);
constexpr std::size_t size_bytes = code_offset + sizeof(crypto::Sha256);
using Token = std::array<std::uint8_t, size_bytes>;

void put_time(Time time, Token& token) {
  auto unix_us = static_cast<std::uint64_t>(time.time_since_epoch().count());
  for (auto at = device_offset; at-- > issued_offset; unix_us >>= 8U)
    token.at(at) = static_cast<std::uint8_t>(unix_us & 0xffU);
}

Time get_time(BytesView token) {
  std::uint64_t unix_us = 0;
  for (const auto byte : token.subspan(issued_offset, device_offset - issued_offset))
    unix_us = (unix_us << 8U) | byte;
  return Time{microseconds{static_cast<std::int64_t>(unix_us)}};
}

}  // namespace

std::string DeviceTokens::issue(const LimitKey& account, std::optional<DeviceId> device, Time now,
                                Random& random) const {
  if (!device) device = random.bytes<sizeof(DeviceId)>();
  Token token{};
  token.front() = version;
  put_time(now, token);
  std::ranges::copy(*device, token.begin() + device_offset);
  const auto code = code_of(BytesView{token}.first(code_offset), account);
  std::ranges::copy(code, token.begin() + code_offset);
  return std::string{token_prefix} + text::to_base64url(token);
}

std::optional<KnownDevice> DeviceTokens::check(std::string_view token, const LimitKey& account,
                                               Time now) const {
  constexpr std::size_t text_bytes = token_prefix.size() + (size_bytes * 4 + 2) / 3;
  if (token.size() != text_bytes || !token.starts_with(token_prefix)) return std::nullopt;
  const auto bytes = text::parse_base64url(token.substr(token_prefix.size()));
  if (!bytes || bytes->size() != size_bytes || bytes->front() != version) return std::nullopt;
  const BytesView all{*bytes};
  if (!crypto::constant_time_equal(all.subspan(code_offset), code_of(all.first(code_offset), account))) {
    return std::nullopt;
  }
  KnownDevice device{.issued_at = get_time(all)};
  if (now >= device.issued_at + limits::device_token_lifetime) return std::nullopt;
  std::ranges::copy(all.subspan(device_offset, device.id.size()), device.id.begin());
  return device;
}

crypto::Sha256 DeviceTokens::code_of(BytesView content, const LimitKey& account) const {
  Bytes message{content.begin(), content.end()};
  message.insert(message.end(), account.begin(), account.end());
  return crypto::hmac_sha256(key_.bytes(), message);
}

}  // namespace keyward::domain
