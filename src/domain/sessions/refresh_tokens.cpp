#include "domain/sessions/refresh_tokens.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "crypto/digest.hpp"
#include "text/base64url.hpp"

namespace keyward::domain {

namespace {

constexpr std::string_view prefix = "kw_rt_";
constexpr std::string_view label = "keyward refresh token";

constexpr std::size_t generation_at = sizeof(Uuid::bytes);
constexpr std::size_t code_at = generation_at + sizeof(std::int64_t);
constexpr std::size_t raw_size_bytes = code_at + sizeof(crypto::Sha256);
constexpr std::size_t text_size_bytes = (raw_size_bytes * 4 + 2) / 3;  // base64url without padding

using Raw = std::array<std::uint8_t, raw_size_bytes>;

crypto::Sha256 code_of(BytesView key, std::span<const std::uint8_t, code_at> named) {
  std::array<std::uint8_t, label.size() + code_at> message{};
  std::ranges::copy(named, std::ranges::copy(as_bytes(label), message.begin()).out);
  return crypto::hmac_sha256(key, message);
}

}  // namespace

std::string RefreshTokens::make(const Named& named) const {
  made_.add();
  Raw raw{};
  std::ranges::copy(named.session_id.bytes, raw.begin());
  std::ranges::copy(to_big_endian(static_cast<std::uint64_t>(named.generation)), raw.begin() + generation_at);
  const auto code = code_of(key_.bytes(), std::span{raw}.first<code_at>());
  std::ranges::copy(code, raw.begin() + code_at);
  std::string text{prefix};
  text += text::to_base64url(raw);
  wipe(raw.data(), raw.size());
  return text;
}

std::optional<RefreshTokens::Named> RefreshTokens::parse(std::string_view text) const {
  if (text.size() != prefix.size() + text_size_bytes || !text.starts_with(prefix)) return std::nullopt;
  const auto raw = text::parse_base64url(text.substr(prefix.size()));
  if (!raw || raw->size() != raw_size_bytes) return std::nullopt;
  const std::span<const std::uint8_t, raw_size_bytes> bytes{raw->data(), raw_size_bytes};
  const auto code = code_of(key_.bytes(), bytes.first<code_at>());
  if (!crypto::constant_time_equal(code, bytes.last<sizeof(crypto::Sha256)>())) return std::nullopt;

  Named named;
  std::ranges::copy(bytes.first<generation_at>(), named.session_id.bytes.begin());
  std::uint64_t generation = 0;
  for (const auto byte : bytes.subspan<generation_at, sizeof generation>())
    generation = generation << 8U | byte;
  named.generation = static_cast<std::int64_t>(generation);
  return named;
}

}  // namespace keyward::domain
