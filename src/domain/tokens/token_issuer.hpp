// TokenIssuer: the access tokens of this issuer, made and read in one place (RFC 9068).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"
#include "domain/keys/key_ring.hpp"
#include "protocol/jose/access_token.hpp"

namespace keyward::domain {

struct TokenSettings {
  std::string issuer;
  std::string audience;
  std::chrono::seconds access_token_lifetime{900};
};

/// What a token of ours says.
struct TokenSubject {
  Uuid account_id;
  Uuid session_id;
  std::vector<std::string> roles;
};

/// A token that verified.
struct VerifiedToken {
  Uuid account_id;
  Uuid session_id;
  Time expires_at;
};

class TokenIssuer {
 public:
  explicit TokenIssuer(TokenSettings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] std::string issue(const KeySnapshot& keys, const TokenSubject& subject, Time now,
                                  Random& random) const;
  /// Reasons: all of protocol::jose::Reason. The session is not looked up.
  [[nodiscard]] protocol::jose::Checked<VerifiedToken> verify(std::string_view token, const KeySnapshot& keys,
                                                              Time now) const;
  [[nodiscard]] std::uint64_t issued() const { return issued_.value(); }
  [[nodiscard]] std::chrono::seconds lifetime() const { return settings_.access_token_lifetime; }

 private:
  TokenSettings settings_;
  mutable Counter issued_;
};

}  // namespace keyward::domain
