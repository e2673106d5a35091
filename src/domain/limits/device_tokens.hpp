// Device tokens: how the owner of an account gets in while strangers have its five attempts used up.
//
// Whoever may lock an account by guessing may lock its owner out. A device that has logged in before is no
// stranger: its login gave it a token, and a login that presents the token is counted in that device's own
// bucket (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). The token lets nobody in: the
// password is still asked for, and as often as before.
//
//   kw_dv_ base64url( version 1 · issued, microseconds, 8 · device 16 · HMAC-SHA-256 32 )
//   the code is over all before it and the account's key, under a sub-key of the master key
//
// Threats: a token made up, changed, too old or of another account (its code; compared in constant time) ·
// one person's many tokens as many buckets, for a guesser who knew the password once (all devices of an
// account together have a bucket too: login_devices; when it is used up, they are counted as strangers are) ·
// a stolen token (five more guesses in a window, no more) · following a person by it (it is sent to this
// server alone, and says nothing).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "crypto/digest.hpp"
#include "domain/limits/rate_limiter.hpp"

namespace keyward::domain {

/// What a device is counted by: 16 random bytes, made at its first login.
using DeviceId = LimitKey;

struct KnownDevice {
  DeviceId id{};
  Time issued_at;  // of its token
};

class DeviceTokens {
 public:
  /// `key`: 32 bytes, MasterKey::derive("device 1").
  explicit DeviceTokens(Secret key) : key_(std::move(key)) {}

  /// `account` is Limits::key_of_login. A known device keeps its id, and so its bucket.
  [[nodiscard]] std::string issue(const LimitKey& account, std::optional<DeviceId> device, Time now,
                                  Random& random) const;
  /// The device, when the token is one of ours for this account and not too old.
  [[nodiscard]] std::optional<KnownDevice> check(std::string_view token, const LimitKey& account,
                                                 Time now) const;

 private:
  [[nodiscard]] crypto::Sha256 code_of(BytesView content, const LimitKey& account) const;
  Secret key_;
};

}  // namespace keyward::domain
