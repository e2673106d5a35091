// Refresh tokens and device tokens (domain/sessions/refresh_tokens, domain/limits/device_tokens): from
// whoever sends one.
//
// The first line is a token from outside; then 24 bytes of a session and a generation, for a token that we
// make and damage. Must hold: nothing is genuine that was not made here; a token that was made says what it
// was made of, and with one byte changed it says nothing; a device token serves its account and its time
// only.
#include "domain/sessions/refresh_tokens.hpp"

#include "base/limits.hpp"
#include "domain/limits/device_tokens.hpp"
#include "fuzz.hpp"

namespace keyward::fuzz {
namespace {

class NoRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override { std::ranges::fill(bytes, std::uint8_t{7}); }
};

void damage(std::string& token, std::size_t at, std::uint8_t flip) {
  token[at % token.size()] ^= static_cast<char>(flip == 0 ? 1 : flip);
}

}  // namespace

KEYWARD_FUZZ_TARGET(refresh_tokens) {
  static NoRandom random;
  static const auto master_key = crypto::MasterKey::generate(random);
  static const domain::RefreshTokens tokens{master_key};
  static const domain::DeviceTokens devices{master_key.derive("device 1")};

  Input given{input};
  const std::size_t at = given.byte();
  const std::uint8_t flip = given.byte();
  const std::int64_t generation = given.int64();
  const std::string_view foreign = given.line();
  const domain::LimitKey account{1}, other{2};
  const Time now = from_unix_s(1'764'000'000);
  must_hold(!tokens.parse(foreign), "no token is genuine that was not made here");
  must_hold(!devices.check(foreign, account, now), "no device is known that was not told");

  domain::RefreshTokens::Named named{.session_id = {}, .generation = generation};
  const BytesView id = given.bytes(named.session_id.bytes.size());
  std::ranges::copy(id, named.session_id.bytes.begin());
  std::string token = tokens.make(named);
  must_hold(tokens.parse(token) == named, "a token says what it was made of");
  damage(token, at, flip);
  must_hold(!tokens.parse(token), "a token with one byte changed says nothing");

  domain::DeviceId device{};
  std::ranges::copy(given.bytes(device.size()), device.begin());
  token = devices.issue(account, device, now, random);
  const auto known = devices.check(token, account, now);
  must_hold(known && known->id == device && known->issued_at == now, "a device is known by its token");
  must_hold(!devices.check(token, other, now), "and for its account only");
  must_hold(!devices.check(token, account, now + limits::device_token_lifetime), "and for its time only");
  damage(token, at, flip);
  must_hold(!devices.check(token, account, now), "and not by a damaged one");
}

}  // namespace keyward::fuzz
